package io.gatun.packet;

import io.gatun.ffm.memory.Memory;

/**
 * IPv4 header, 20 to 60 bytes (RFC 791). Addresses are ints in host order. Stateless; any thread.
 */
public final class Ipv4 {
  public static final int VERSION_IHL = 0;
  public static final int TOS = 1;
  public static final int TOTAL_LENGTH = 2;
  public static final int IDENTIFICATION = 4;
  public static final int FRAGMENT = 6;
  public static final int TTL = 8;
  public static final int PROTOCOL = 9;
  public static final int CHECKSUM = 10;
  public static final int SOURCE = 12;
  public static final int DESTINATION = 16;

  /** Bytes without options. */
  public static final int HEADER = 20;

  /** Bits of the fragment word. */
  public static final int DONT_FRAGMENT = 0x4000;

  public static final int MORE_FRAGMENTS = 0x2000;
  public static final int FRAGMENT_OFFSET = 0x1FFF;

  /** The smallest MTU that every link has to have (RFC 791 says 68; hosts accept 576). */
  public static final int MINIMUM_REASSEMBLY = 576;

  /** 255.255.255.255: all on this link (RFC 919). */
  public static final int BROADCAST = -1;

  private Ipv4() {}

  /** True when {@code bytes} bytes hold a header with its options and the packet it announces. */
  public static boolean fits(long l3, int bytes) {
    if (bytes < HEADER) {
      return false;
    }
    int versionIhl = Memory.getByte(l3);
    int header = (versionIhl & 15) << 2;
    int total = totalLength(l3);
    return versionIhl >>> 4 == 4 && header >= HEADER && header <= total && total <= bytes;
  }

  /** Header bytes with options. */
  public static int headerBytes(long l3) {
    return (Memory.getByte(l3) & 15) << 2;
  }

  public static int tos(long l3) {
    return Memory.getByte(l3 + TOS);
  }

  public static int totalLength(long l3) {
    return Memory.getShortBe(l3 + TOTAL_LENGTH);
  }

  public static int identification(long l3) {
    return Memory.getShortBe(l3 + IDENTIFICATION);
  }

  /** Flags and offset: see {@link #DONT_FRAGMENT}, {@link #MORE_FRAGMENTS}. */
  public static int fragment(long l3) {
    return Memory.getShortBe(l3 + FRAGMENT);
  }

  /** Where this fragment's payload stands in the whole one's, in bytes. */
  public static int fragmentOffset(long l3) {
    return (fragment(l3) & FRAGMENT_OFFSET) << 3;
  }

  public static int ttl(long l3) {
    return Memory.getByte(l3 + TTL);
  }

  public static int protocol(long l3) {
    return Memory.getByte(l3 + PROTOCOL);
  }

  public static int checksum(long l3) {
    return Memory.getShortBe(l3 + CHECKSUM);
  }

  public static int source(long l3) {
    return Memory.getIntBe(l3 + SOURCE);
  }

  public static int destination(long l3) {
    return Memory.getIntBe(l3 + DESTINATION);
  }

  /** 224.0.0.0/4, RFC 5771. */
  public static boolean multicast(int address) {
    return address >>> 28 == 14;
  }

  /** 127.0.0.0/8, which never appears on a wire (RFC 1122 3.2.1.3). */
  public static boolean loopback(int address) {
    return address >>> 24 == 127;
  }

  public static void totalLength(long l3, int bytes) {
    Memory.putShortBe(l3 + TOTAL_LENGTH, bytes);
  }

  public static void ttl(long l3, int ttl) {
    Memory.putByte(l3 + TTL, ttl);
  }

  public static void checksum(long l3, int checksum) {
    Memory.putShortBe(l3 + CHECKSUM, checksum);
  }

  public static void source(long l3, int address) {
    Memory.putIntBe(l3 + SOURCE, address);
  }

  public static void destination(long l3, int address) {
    Memory.putIntBe(l3 + DESTINATION, address);
  }

  /** Writes a header without options, DF set, checksum right. */
  public static void write(
      long l3, int totalLength, int identification, int ttl, int protocol, int source, int target) {
    Memory.putShortBe(l3 + VERSION_IHL, 0x4500);
    Memory.putShortBe(l3 + TOTAL_LENGTH, totalLength);
    Memory.putShortBe(l3 + IDENTIFICATION, identification);
    Memory.putShortBe(l3 + FRAGMENT, DONT_FRAGMENT);
    Memory.putByte(l3 + TTL, ttl);
    Memory.putByte(l3 + PROTOCOL, protocol);
    Memory.putIntBe(l3 + SOURCE, source);
    Memory.putIntBe(l3 + DESTINATION, target);
    computeChecksum(l3);
  }

  public static boolean checksumCorrect(long l3) {
    return Checksum.sum(l3, headerBytes(l3)) == 0xFFFF;
  }

  public static void computeChecksum(long l3) {
    checksum(l3, 0);
    checksum(l3, Checksum.complement(Checksum.sum(l3, headerBytes(l3))));
  }

  /** Applies {@code delta} of changed header words to the header checksum. */
  public static void updateChecksum(long l3, int delta) {
    checksum(l3, Checksum.update(checksum(l3), delta));
  }

  /** One hop less, checksum with it; the caller has seen a TTL of 2 or more. */
  public static void decrementTtl(long l3) {
    // The word of TTL and protocol falls by 0x0100.
    int word = Memory.getShortBe(l3 + TTL);
    Memory.putByte(l3 + TTL, (word >>> 8) - 1);
    updateChecksum(l3, Checksum.delta16(word, word - 0x100));
  }

  /** {@code 10.0.0.1}. */
  public static String printAddress(int address) {
    return (address >>> 24)
        + "."
        + (address >>> 16 & 255)
        + "."
        + (address >>> 8 & 255)
        + "."
        + (address & 255);
  }

  /** {@code 10.0.0.1 > 10.0.0.2 protocol 6 ttl 64 length 60}. */
  public static String print(long l3) {
    return "%s > %s protocol %d ttl %d length %d"
        .formatted(
            printAddress(source(l3)),
            printAddress(destination(l3)),
            protocol(l3),
            ttl(l3),
            totalLength(l3));
  }
}
