package io.gatun.control.kernel;

import java.net.InetAddress;
import java.util.List;

/** Where a route leads, before any MAC address is known: what names an adjacency. Immutable. */
sealed interface Target {
  /** The neighbour {@code address} on a port. */
  record Hop(int port, InetAddress address) implements Target {}

  /**
   * The neighbours on a port that are not known, each being its own next hop. A known one has a
   * host route of its own.
   */
  record OnLink(int port) implements Target {}

  /** Several next hops; one that stands there twice has twice the weight. */
  record Several(List<Target> hops) implements Target {}

  /** This node's own stack, also for what leaves by interfaces that are not ours. */
  record Local() implements Target {}

  record Blackhole() implements Target {}

  record Unreachable() implements Target {}
}
