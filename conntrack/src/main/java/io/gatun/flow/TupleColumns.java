package io.gatun.flow;

import io.gatun.ffm.memory.Memory;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;

/**
 * Keys and hashes of a vector's packets, a column each. Owned by one worker.
 *
 * <p>All packets are taken for plain IPv4 first, in loops without a branch, of which the compiler
 * makes vector instructions: a fifth of the time that a loop takes which asks what a packet is.
 * Then those that are something else get their own, if there are any.
 */
final class TupleColumns {
  private static final int NO_KEY = PacketVector.ICMP_ERROR | PacketVector.ICMP_OTHER;
  private static final int OTHER = NO_KEY | PacketVector.IPV6;

  /** As in an entry. */
  final long[] key = new long[PacketVector.CAPACITY];

  /** The hash in the upper half. */
  final long[] mixed = new long[PacketVector.CAPACITY];

  private boolean plain;

  /** Whether all packets are IPv4, have a key and go on. */
  boolean isPlain() {
    return plain;
  }

  /** Whether packet {@code i} can have a flow. */
  static boolean isKeyed(PacketVector v, int i) {
    return v.verdict[i] == Verdict.CONTINUE && (v.flags[i] & NO_KEY) == 0;
  }

  /** Fills the columns, and that of hashes in {@code v}, where those of ended packets are void. */
  void fill(PacketVector v) {
    int n = v.size;
    keys(v.ports, v.protocol, key, n);
    mix(key, v.addresses, mixed, n);
    plain = others(v.flags, v.verdict, n) == 0;
    for (int i = 0; i < n && !plain; i++) {
      if (v.verdict[i] == Verdict.CONTINUE && (v.flags[i] & OTHER) != 0) {
        other(v, i);
      }
    }
    hashes(mixed, v.hash, n);
  }

  private static void keys(int[] ports, int[] protocol, long[] key, int n) {
    for (int i = 0; i < n; i++) {
      key[i] = FlowLayout.key(ports[i], FlowLayout.IPV4, protocol[i]);
    }
  }

  private static void mix(long[] key, long[] addresses, long[] mixed, int n) {
    for (int i = 0; i < n; i++) {
      mixed[i] = FlowHash.mixed(key[i], addresses[i]);
    }
  }

  private static void hashes(long[] mixed, int[] hash, int n) {
    for (int i = 0; i < n; i++) {
      hash[i] = FlowHash.ofMixed(mixed[i]);
    }
  }

  private static int others(int[] flags, int[] verdict, int n) {
    int others = 0;
    for (int i = 0; i < n; i++) {
      others |= (flags[i] & OTHER) | (verdict[i] ^ Verdict.CONTINUE);
    }
    return others;
  }

  private void other(PacketVector v, int i) {
    int ports = (v.flags[i] & NO_KEY) == 0 ? v.ports[i] : 0;
    if ((v.flags[i] & PacketVector.IPV6) == 0) {
      key[i] = FlowLayout.key(ports, FlowLayout.IPV4, v.protocol[i]);
      mixed[i] = FlowHash.mixed(key[i], v.addresses[i]);
      return;
    }
    long l3 = v.address[i] + v.l3[i];
    key[i] = FlowLayout.key(ports, FlowLayout.IPV6, v.protocol[i]);
    int hash =
        FlowHash.ofKey(
            key[i],
            Memory.getLongBe(l3 + Ip.SOURCE6),
            Memory.getLongBe(l3 + Ip.SOURCE6 + 8),
            Memory.getLongBe(l3 + Ip.DESTINATION6),
            Memory.getLongBe(l3 + Ip.DESTINATION6 + 8));
    mixed[i] = (long) hash << 32;
  }
}
