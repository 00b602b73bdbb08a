package io.gatun.fib;

import java.util.List;

/**
 * What becomes of the packets that a route sends here. Immutable; the control side's view of a line
 * of the {@link AdjacencyTable}. MAC addresses are 48 bits, the first octet highest; the MTU is
 * that of IP packets in bytes.
 */
public sealed interface Adjacency {
  /** To a neighbour on a link. */
  record Forward(int port, long sourceMac, long destinationMac, int mtu) implements Adjacency {}

  /**
   * Through a tunnel, by its number. The MAC addresses are the inner frame's: of our end and of the
   * other; the MTU is that of the inner packet.
   */
  record Tunnel(int tunnel, long sourceMac, long destinationMac, int mtu) implements Adjacency {}

  /** To a neighbour whose MAC address is not known yet: dropped, the control side asks for it. */
  record Unresolved(int port, long sourceMac, int mtu) implements Adjacency {}

  /** To this node's own stack, through the host's port; neither TTL nor MTU matter. */
  record Host(int port, long sourceMac, long destinationMac) implements Adjacency {}

  /** Dropped silently. */
  record Blackhole() implements Adjacency {}

  /** Answered with host unreachable (IPv6: no route), as the kernel's {@code unreachable}. */
  record Unreachable() implements Adjacency {}

  /** Answered with administratively prohibited, as the kernel's {@code prohibit}. */
  record Prohibited() implements Adjacency {}

  /** One of several next hops, chosen by the flow's hash: numbers of the table, at most 12. */
  record Group(List<Integer> members) implements Adjacency {
    /** What fits into a line of the table. */
    public static final int MAX_MEMBERS = 12;

    public Group {
      if (members.isEmpty() || members.size() > MAX_MEMBERS) {
        throw new IllegalArgumentException(
            "%d next hops; give 1 to %d".formatted(members.size(), MAX_MEMBERS));
      }
      members = List.copyOf(members);
    }
  }
}
