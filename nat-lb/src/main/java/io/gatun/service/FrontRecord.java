package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.flow.AddressWords;
import io.gatun.flow.Ticks;

/**
 * What the data path knows of one front: written once, then only read.
 *
 * <pre>
 *   line 0:  flags, Service's number, counter's address, Cluster set, Local set (0 when empty),
 *            affinity in ticks and its IPv6 prefix length, source ranges, bytes, whose affinity
 *   then 32 bytes a source range
 * </pre>
 */
final class FrontRecord {
  /** By {@code externalTrafficPolicy}; its Local policy has a short circuit. */
  static final int EXTERNAL = 1;

  static final int POLICY_LOCAL = 2;
  static final int MASQUERADE = 4;
  static final int MASQUERADE_STRANGERS = 8;

  /** Only for sources in a range; there may be none of them. */
  static final int RESTRICTED = 16;

  private static final int FLAGS = 0;
  private static final int SERVICE = 4;
  private static final int COUNTER = 8;
  private static final int CLUSTER = 16;
  private static final int LOCAL = 24;
  private static final int AFFINITY = 32;
  private static final int AFFINITY_PREFIX = 36;
  private static final int RANGES = 40;
  private static final int BYTES = 48;
  private static final int AFFINITY_OF = 56;
  private static final int HEADER = 64;

  private FrontRecord() {}

  static long write(
      Blocks blocks, FrontSpec spec, int service, long counter, long cluster, long local) {
    Prefixes ranges = Prefixes.of(spec.sourceRanges());
    long bytes = HEADER + (long) spec.sourceRanges().size() * Prefixes.BYTES;
    long record = blocks.take(bytes);
    boolean ipv6 = AddressWords.ipv6(spec.address());
    Memory.putInt(record + FLAGS, flags(spec, ranges.has(ipv6)));
    Memory.putInt(record + SERVICE, service);
    Memory.putLong(record + COUNTER, counter);
    Memory.putLong(record + CLUSTER, cluster);
    Memory.putLong(record + LOCAL, local);
    Memory.putInt(record + AFFINITY, Ticks.ofSeconds(spec.affinity().seconds()));
    Memory.putInt(record + AFFINITY_PREFIX, ipv6 ? spec.affinity().ipv6PrefixLength() : 128);
    Memory.putInt(record + RANGES, ranges.write(record + HEADER, ipv6));
    Memory.putLong(record + BYTES, bytes);
    Memory.putLong(record + AFFINITY_OF, AffinityTable.identity(spec.service()));
    return record;
  }

  private static int flags(FrontSpec spec, boolean restricted) {
    return (spec.kind().external() ? EXTERNAL : 0)
        | (spec.policyLocal() ? POLICY_LOCAL : 0)
        | (restricted ? RESTRICTED : 0)
        | switch (spec.masquerade()) {
          case NOBODY -> 0;
          case STRANGERS -> MASQUERADE_STRANGERS;
          case EVERYBODY -> MASQUERADE;
        };
  }

  static int flags(long record) {
    return Memory.getInt(record + FLAGS);
  }

  static int service(long record) {
    return Memory.getInt(record + SERVICE);
  }

  static long counter(long record) {
    return Memory.getLong(record + COUNTER);
  }

  static long bytes(long record) {
    return Memory.getLong(record + BYTES);
  }

  /** The set for policy Cluster, 0 when the Service has no endpoints at all. */
  static long cluster(long record) {
    return Memory.getLong(record + CLUSTER);
  }

  /** The set for policy Local, 0 when this node has no endpoint. */
  static long local(long record) {
    return Memory.getLong(record + LOCAL);
  }

  /** Ticks that a client keeps its endpoint, 0 for no affinity. */
  static int affinity(long record) {
    return Memory.getInt(record + AFFINITY);
  }

  /** The Service port by which {@link AffinityTable} knows its clients. */
  static long affinityOf(long record) {
    return Memory.getLong(record + AFFINITY_OF);
  }

  static int affinityPrefix(long record) {
    return Memory.getInt(record + AFFINITY_PREFIX);
  }

  /** Whether a source may use the front at all. */
  static boolean admits(long record, long high, long low) {
    return Prefixes.contain(record + HEADER, Memory.getInt(record + RANGES), high, low);
  }
}
