package io.gatun.flow;

import io.gatun.ffm.memory.Memory;
import io.gatun.fib.WayOut;

/** Where things stand in the flow table's memory: offsets and sizes in bytes, all in host order. */
final class FlowLayout {
  /** One cache line. */
  static final int LINE = 64;

  /** Original entry, reply entry. */
  static final int FLOW_BYTES = 2 * LINE;

  // Entry. Key first: ports << 32 | family | protocol, then the addresses.
  static final int KEY = 0;

  /** IPv4: source << 32 | destination. IPv6: four longs from here. */
  static final int ADDRESSES = 8;

  /** IPv4 only: source << 32 | destination to write. IPv6 reads the other entry's key, turned. */
  static final int NEW_ADDRESSES = 16;

  static final int NEW_PORTS = 24;

  /** Addresses' checksum delta << 16 | delta of the whole L4 checksum (RFC 1624). */
  static final int DELTAS = 40;

  static final int LAST_SEEN = 44;

  /** 0 original, 1 reply; a byte. */
  static final int DIRECTION = 48;

  /** Not 0: the state machine wants to see every packet; a byte. */
  static final int WATCHED = 49;

  // What belongs to the flow, not to a direction, stands where the entries have room.

  /** Original entry only: see {@link FlowTracker}; 16 bits. */
  static final int STATE = 50;

  /** Original entry only. */
  static final int SERVICE = 52;

  /** Reply entry only. */
  static final int CREATED = 52;

  /** Reply entry only, 16 bits: 1 while the flow can be found; what a restart goes by. */
  static final int PUBLISHED = 50;

  /** The last word of an entry is the route stage's: {@link io.gatun.fib.WayOut#OFFSET}. */
  static final int WAY = WayOut.OFFSET;

  // Bucket.
  static final int SLOTS = 10;
  static final int TAGS = 0;

  /** Beside the last tags, so that one look tells both whether a tag fits and whether to go on. */
  static final int OVERFLOW = 20;

  static final int NUMBERS = 24;

  /** In the key's low half beside the protocol: keeps families apart, and a key from being 0. */
  static final int IPV4 = 0x400;

  static final int IPV6 = 0x600;

  private FlowLayout() {}

  /** The flow that {@code entry} is one direction of. */
  static long flowOf(long entry) {
    return entry - Memory.getByte(entry + DIRECTION) * (long) LINE;
  }

  static int service(long flow) {
    return Memory.getInt(flow + SERVICE);
  }

  /** Ordinal of a {@link FlowState}. */
  static int state(long flow) {
    return Memory.getShort(flow + STATE) & 0xFF;
  }

  static long key(int ports, int family, int protocol) {
    return (long) ports << 32 | family | protocol;
  }

  static int turned(int ports) {
    return ports << 16 | ports >>> 16;
  }
}
