package io.gatun.packet;

import io.gatun.ffm.memory.Memory;
import java.nio.ByteOrder;

/**
 * The Internet checksum (RFC 1071), its incremental update (RFC 1624) and the sums that a local
 * stack leaves for its device to finish (Linux' {@code CHECKSUM_PARTIAL}). Stateless; any thread.
 *
 * <p>Three things go by 16-bit numbers here, all in host order (as {@link Memory#getShortBe} reads
 * them):
 *
 * <ul>
 *   <li>a <em>sum</em>: the one's complement sum of some 16-bit words;
 *   <li>a <em>checksum</em>: what a full header field holds, the complement of the sum;
 *   <li>a <em>delta</em>: the sum of the new words less the old ones, which turns an old sum into
 *       the new one. It can be computed once per flow and applied to every packet.
 * </ul>
 *
 * <p>A <em>partial</em> field holds the sum (not complemented) of the pseudo-header alone, so
 * {@link #updatePartial} applies only deltas of addresses and lengths to it, never of ports.
 *
 * <p>One's complement has two zeros, 0 and 0xFFFF; they are equal as sums, and only UDP tells them
 * apart: a field of 0 says "no checksum" (RFC 768).
 */
public final class Checksum {
  private static final boolean LITTLE_ENDIAN = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
  private static final long LOW = 0xFFFF_FFFFL;

  private Checksum() {}

  /**
   * Sum of {@code bytes} bytes from {@code address} (any alignment; an odd last byte counts as the
   * upper half of a word).
   *
   * <p>Adds eight bytes at a time in native order: a one's complement sum does not care how wide or
   * in which order its words are added, but for one swap at the end (RFC 1071, 2 B).
   */
  public static int sum(long address, int bytes) {
    long sum = 0;
    long at = address;
    long end = address + (bytes & ~7);
    for (; at < end; at += 8) {
      long word = Memory.getLong(at);
      sum += (word & LOW) + (word >>> 32);
    }
    if ((bytes & 4) != 0) {
      sum += Memory.getInt(at) & LOW;
      at += 4;
    }
    if ((bytes & 2) != 0) {
      sum += Memory.getShort(at);
      at += 2;
    }
    if ((bytes & 1) != 0) {
      int last = Memory.getByte(at);
      sum += LITTLE_ENDIAN ? last : last << 8;
    }
    int folded = fold(sum);
    return LITTLE_ENDIAN ? (folded & 0xFF) << 8 | folded >>> 8 : folded;
  }

  /** Brings a sum of many words (not negative) down to 16 bits; only a sum of zeros gives 0. */
  public static int fold(long sum) {
    long s = (sum & LOW) + (sum >>> 32);
    s = (s & 0xFFFF) + (s >>> 16);
    s = (s & 0xFFFF) + (s >>> 16);
    return (int) ((s & 0xFFFF) + (s >>> 16));
  }

  /** The checksum for a sum, and back: its complement. */
  public static int complement(int sum) {
    return ~sum & 0xFFFF;
  }

  /** As {@link #complement}, for UDP's field: a computed 0 is sent as 0xFFFF (RFC 768). */
  public static int complementUdp(int sum) {
    int checksum = ~sum & 0xFFFF;
    return checksum == 0 ? 0xFFFF : checksum;
  }

  // RFC 1624

  /** Delta of a 16-bit word that changes from {@code from} to {@code to}. */
  public static int delta16(int from, int to) {
    return fold((~from & 0xFFFFL) + (to & 0xFFFFL));
  }

  /** Delta of a 32-bit field at an even offset, such as an IPv4 address. */
  public static int delta32(int from, int to) {
    return fold((~from & LOW) + (to & LOW));
  }

  /** Delta of a 64-bit field at an even offset, such as half an IPv6 address. */
  public static int delta64(long from, long to) {
    long not = ~from;
    return fold((not & LOW) + (not >>> 32) + (to & LOW) + (to >>> 32));
  }

  /** Both deltas in one. */
  public static int combine(int delta, int other) {
    return fold((long) delta + other);
  }

  /** The delta that undoes {@code delta}: that of the reply direction. */
  public static int inverse(int delta) {
    return ~delta & 0xFFFF;
  }

  /** A full checksum after {@code delta}: {@code HC' = ~(~HC + ~m + m')} (RFC 1624, equation 3). */
  public static int update(int checksum, int delta) {
    return ~fold((~checksum & 0xFFFFL) + delta) & 0xFFFF;
  }

  /**
   * A full UDP checksum after {@code delta}: 0 (none) stays 0, a computed 0 becomes 0xFFFF. Over
   * IPv6 a field of 0 is no checksum either (RFC 6935), so both families share this.
   */
  public static int updateUdp(int checksum, int delta) {
    if (checksum == 0) {
      return 0;
    }
    int updated = update(checksum, delta);
    return updated == 0 ? 0xFFFF : updated;
  }

  /** A partial field after {@code delta} of addresses or length (not of ports: not in it yet). */
  public static int updatePartial(int field, int delta) {
    return fold((long) field + delta);
  }

  // Pseudo-headers (RFC 9293 3.1, RFC 768, RFC 8200 8.1)

  /** Sum of the IPv4 pseudo-header of the header at {@code l3}. */
  public static int pseudoHeaderV4(long l3, int protocol, int l4Bytes) {
    long addresses = Memory.getLongBe(l3 + Ipv4.SOURCE);
    return fold((addresses & LOW) + (addresses >>> 32) + protocol + l4Bytes);
  }

  /** Sum of the IPv6 pseudo-header of the header at {@code l3}. */
  public static int pseudoHeaderV6(long l3, int protocol, int l4Bytes) {
    long a = Memory.getLongBe(l3 + Ipv6.SOURCE);
    long b = Memory.getLongBe(l3 + Ipv6.SOURCE + 8);
    long c = Memory.getLongBe(l3 + Ipv6.DESTINATION);
    long d = Memory.getLongBe(l3 + Ipv6.DESTINATION + 8);
    return fold(
        (a & LOW)
            + (a >>> 32)
            + (b & LOW)
            + (b >>> 32)
            + (c & LOW)
            + (c >>> 32)
            + (d & LOW)
            + (d >>> 32)
            + protocol
            + l4Bytes);
  }

  /** True when {@code l4Bytes} bytes at {@code l4} and their pseudo-header (0 for none) sum up. */
  public static boolean correct(long l4, int l4Bytes, int pseudoHeader) {
    // sum == 0 cannot be: a checksum field of zeros over nothing but zeros is no valid packet.
    return fold((long) sum(l4, l4Bytes) + pseudoHeader) == 0xFFFF;
  }

  // CHECKSUM_PARTIAL

  /**
   * True when a checksum field holds just the pseudo-header's sum, in either representation of
   * zero. Ask it only about frames of ports whose far end is a local stack (veth); elsewhere it
   * would repair damaged frames. A full checksum that happens to equal the sum does no harm:
   * completing it gives the same value again.
   */
  public static boolean partial(int field, int pseudoHeader) {
    return field == pseudoHeader || (field == 0 && pseudoHeader == 0xFFFF);
  }

  /**
   * Completes, in software, the partial checksum at {@code l4 + csumOffset} of the {@code l4Bytes}
   * bytes from {@code l4}.
   */
  public static void complete(long l4, int l4Bytes, int csumOffset) {
    int sum = sum(l4, l4Bytes);
    int checksum = csumOffset == Udp.CHECKSUM ? complementUdp(sum) : complement(sum);
    Memory.putShortBe(l4 + csumOffset, checksum);
  }
}
