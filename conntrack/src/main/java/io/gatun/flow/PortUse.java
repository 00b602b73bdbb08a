package io.gatun.flow;

import static io.gatun.flow.FlowLayout.ADDRESSES;
import static io.gatun.flow.FlowLayout.KEY;
import static io.gatun.flow.FlowLayout.LINE;

import io.gatun.ffm.memory.Memory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How many source ports are in use towards each destination: (source, endpoint, its port, protocol)
 * of flows whose source is not the client's own address. Destinations share a counter where their
 * hashes meet, so a count may be too high. Safe for use by many threads.
 */
final class PortUse {
  private static final VarHandle COUNT = MethodHandles.arrayElementVarHandle(int[].class);
  private static final int DESTINATIONS = 1 << 16;
  private static final long WITHOUT_SOURCE_PORT = 0xFFFF_0000_FFFF_FFFFL;
  private static final long WITHOUT_PORTS = 0xFFFF_FFFFL;

  private final int[] used = new int[DESTINATIONS];

  /** A flow comes or goes. */
  void count(long flow, int change) {
    if (translated(flow)) {
      COUNT.getAndAdd(used, destination(flow + LINE), change);
    }
  }

  /** Ports towards the destination of a flow about to be made. */
  int used(NewFlow f) {
    long key = without(f.replyKey());
    int destination =
        f.ipv6
            ? FlowHash.ofKey(
                key, f.newDestinationHigh, f.newDestinationLow, f.newSourceHigh, f.newSourceLow)
            : FlowHash.ofKey(key, f.newDestinationLow << 32 | f.newSourceLow);
    return (int) COUNT.getOpaque(used, destination & DESTINATIONS - 1);
  }

  /** The most that any destination has. */
  int most() {
    int most = 0;
    for (int i = 0; i < DESTINATIONS; i++) {
      most = Math.max(most, (int) COUNT.getOpaque(used, i));
    }
    return most;
  }

  /** An echo's identifier stands for both ports. */
  private static long without(long key) {
    int protocol = (int) key & 0xFF;
    return key & (protocol == 1 || protocol == 58 ? WITHOUT_PORTS : WITHOUT_SOURCE_PORT);
  }

  private static boolean translated(long flow) {
    long reply = flow + LINE;
    if (((int) Memory.getLong(flow + KEY) & 0xFF00) != FlowLayout.IPV6) {
      return Memory.getLong(flow + ADDRESSES) >>> 32
          != (Memory.getLong(reply + ADDRESSES) & 0xFFFF_FFFFL);
    }
    return Memory.getLong(flow + ADDRESSES) != Memory.getLong(reply + ADDRESSES + 16)
        || Memory.getLong(flow + ADDRESSES + 8) != Memory.getLong(reply + ADDRESSES + 24);
  }

  private static int destination(long reply) {
    long key = without(Memory.getLong(reply + KEY));
    long addresses = Memory.getLong(reply + ADDRESSES);
    int hash =
        (key & 0xFF00) != FlowLayout.IPV6
            ? FlowHash.ofKey(key, addresses)
            : FlowHash.ofKey(
                key,
                addresses,
                Memory.getLong(reply + ADDRESSES + 8),
                Memory.getLong(reply + ADDRESSES + 16),
                Memory.getLong(reply + ADDRESSES + 24));
    return hash & DESTINATIONS - 1;
  }
}
