package io.gatun.packet;

import io.gatun.ffm.memory.Memory;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * IPv6 header, 40 bytes, and the walk over its extension headers (RFC 8200). Addresses are two
 * longs in host order, high and low. Stateless; any thread.
 */
public final class Ipv6 {
  public static final int VERSION_CLASS_FLOW = 0;
  public static final int PAYLOAD_LENGTH = 4;
  public static final int NEXT_HEADER = 6;
  public static final int HOP_LIMIT = 7;
  public static final int SOURCE = 8;
  public static final int DESTINATION = 24;

  /** Bytes without extension headers. */
  public static final int HEADER = 40;

  /** The smallest MTU of a link (RFC 8200, 5). */
  public static final int MINIMUM_MTU = 1280;

  /**
   * Extension headers that we walk over at most; RFC 8200, 4.1 has each kind once but for
   * destination options, which is six.
   */
  public static final int MAX_EXTENSION_HEADERS = 8;

  private Ipv6() {}

  /**
   * True when {@code bytes} bytes hold a header and the payload it announces. Jumbograms (RFC
   * 2675), whose length field is 0, fit as packets without payload and fail in {@link #walk}.
   */
  public static boolean fits(long l3, int bytes) {
    return bytes >= HEADER && Memory.getByte(l3) >>> 4 == 6 && HEADER + payloadLength(l3) <= bytes;
  }

  public static int payloadLength(long l3) {
    return Memory.getShortBe(l3 + PAYLOAD_LENGTH);
  }

  /** Protocol of what follows the fixed header: maybe an extension header, see {@link #walk}. */
  public static int nextHeader(long l3) {
    return Memory.getByte(l3 + NEXT_HEADER);
  }

  public static int trafficClass(long l3) {
    return Memory.getShortBe(l3) >>> 4 & 0xFF;
  }

  public static int hopLimit(long l3) {
    return Memory.getByte(l3 + HOP_LIMIT);
  }

  public static long sourceHigh(long l3) {
    return Memory.getLongBe(l3 + SOURCE);
  }

  public static long sourceLow(long l3) {
    return Memory.getLongBe(l3 + SOURCE + 8);
  }

  public static long destinationHigh(long l3) {
    return Memory.getLongBe(l3 + DESTINATION);
  }

  public static long destinationLow(long l3) {
    return Memory.getLongBe(l3 + DESTINATION + 8);
  }

  /** ff00::/8, by the upper half of the address. */
  public static boolean multicast(long high) {
    return high >>> 56 == 0xFF;
  }

  /** fe80::/10, by the upper half of the address. */
  public static boolean linkLocal(long high) {
    return high >>> 54 == 0x3FA;
  }

  public static void payloadLength(long l3, int bytes) {
    Memory.putShortBe(l3 + PAYLOAD_LENGTH, bytes);
  }

  public static void hopLimit(long l3, int hopLimit) {
    Memory.putByte(l3 + HOP_LIMIT, hopLimit);
  }

  public static void source(long l3, long high, long low) {
    Memory.putLongBe(l3 + SOURCE, high);
    Memory.putLongBe(l3 + SOURCE + 8, low);
  }

  public static void destination(long l3, long high, long low) {
    Memory.putLongBe(l3 + DESTINATION, high);
    Memory.putLongBe(l3 + DESTINATION + 8, low);
  }

  /** Writes all but the addresses: traffic class and flow label 0. */
  public static void write(long l3, int payloadLength, int nextHeader, int hopLimit) {
    Memory.putIntBe(l3, 0x6000_0000);
    Memory.putShortBe(l3 + PAYLOAD_LENGTH, payloadLength);
    Memory.putByte(l3 + NEXT_HEADER, nextHeader);
    Memory.putByte(l3 + HOP_LIMIT, hopLimit);
  }

  // The walk. Its result is one long: offset of the upper-layer header from l3 in the lower 16
  // bits, protocol in the next 8, then the two fragment bits; −1 for a chain that is no good.

  private static final long LATER = 1L << 24;
  private static final long FIRST = 1L << 25;

  /**
   * Walks the extension headers within {@code bytes} bytes from {@code l3} (which {@link #fits}) up
   * to the upper-layer header, ESP, "no next header" or, in a fragment that is not the first, the
   * end of the fragment header. Returns what {@link #walkedOffset}, {@link #walkedProtocol} and the
   * fragment questions take apart, −1 when the chain is cut, longer than {@link
   * #MAX_EXTENSION_HEADERS}, has hop-by-hop options elsewhere than first, or two fragment headers.
   */
  public static long walk(long l3, int bytes) {
    int offset = HEADER;
    int next = nextHeader(l3);
    boolean fragmented = false;
    long fragment = 0;
    for (int headers = 0; headers <= MAX_EXTENSION_HEADERS; headers++) {
      if (!extension(next)) {
        return offset | (long) next << 16 | fragment;
      }
      if ((next == IpProtocol.HOP_BY_HOP && headers > 0) || offset + 8 > bytes) {
        return -1;
      }
      long header = l3 + offset;
      if (next == IpProtocol.FRAGMENT) {
        int word = Memory.getShortBe(header + 2);
        if (fragmented) {
          return -1;
        }
        fragmented = true;
        if (word >>> 3 != 0) {
          return offset + 8 | (long) Memory.getByte(header) << 16 | LATER;
        }
        // Neither offset nor more to come: an atomic fragment is whole (RFC 6946).
        fragment = (word & 1) != 0 ? FIRST : 0;
      }
      offset += extensionBytes(next, header);
      next = Memory.getByte(header);
      if (offset > bytes) {
        return -1;
      }
    }
    return -1;
  }

  /** Bytes of the extension header of {@code type} at {@code header}. */
  private static int extensionBytes(int type, long header) {
    return switch (type) {
      case IpProtocol.FRAGMENT -> 8; // RFC 8200, 4.5: the second byte is reserved
      case IpProtocol.AUTHENTICATION -> (Memory.getByte(header + 1) + 2) << 2;
      default -> (Memory.getByte(header + 1) + 1) << 3;
    };
  }

  /** Offset from {@code l3} of the fragment header, which {@link #walk} has passed. */
  public static int fragmentHeader(long l3) {
    int offset = HEADER;
    int next = nextHeader(l3);
    while (next != IpProtocol.FRAGMENT) {
      long header = l3 + offset;
      offset += extensionBytes(next, header);
      next = Memory.getByte(header);
    }
    return offset;
  }

  private static boolean extension(int next) {
    return switch (next) {
      case IpProtocol.HOP_BY_HOP,
          IpProtocol.ROUTING,
          IpProtocol.FRAGMENT,
          IpProtocol.AUTHENTICATION,
          IpProtocol.DESTINATION_OPTIONS,
          IpProtocol.MOBILITY ->
          true;
      default -> false;
    };
  }

  /** Bytes from {@code l3} to the upper-layer header. */
  public static int walkedOffset(long walked) {
    return (int) walked & 0xFFFF;
  }

  /** The upper layer's protocol number. */
  public static int walkedProtocol(long walked) {
    return (int) (walked >>> 16) & 0xFF;
  }

  /** A fragment other than the first: no upper-layer header at the offset. */
  public static boolean walkedLaterFragment(long walked) {
    return (walked & LATER) != 0;
  }

  /** The first of several fragments. */
  public static boolean walkedFirstFragment(long walked) {
    return (walked & FIRST) != 0;
  }

  /** {@code 2001:db8:0:0:0:0:0:1}. */
  public static String printAddress(long high, long low) {
    byte[] bytes = new byte[16];
    for (int i = 0; i < 8; i++) {
      bytes[i] = (byte) (high >>> (56 - 8 * i));
      bytes[8 + i] = (byte) (low >>> (56 - 8 * i));
    }
    try {
      return InetAddress.getByAddress(bytes).getHostAddress();
    } catch (UnknownHostException e) {
      throw new AssertionError("16 bytes are an address", e);
    }
  }

  /** {@code 2001:db8:0:0:0:0:0:1 > 2001:db8:0:0:0:0:0:2 next 6 hops 64 payload 20}. */
  public static String print(long l3) {
    return "%s > %s next %d hops %d payload %d"
        .formatted(
            printAddress(sourceHigh(l3), sourceLow(l3)),
            printAddress(destinationHigh(l3), destinationLow(l3)),
            nextHeader(l3),
            hopLimit(l3),
            payloadLength(l3));
  }
}
