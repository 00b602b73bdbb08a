package io.gatun.control.kernel;

import java.net.InetAddress;
import java.util.List;

/**
 * Where a route leads, before any port or MAC address is known: what names an adjacency. Devices go
 * by the kernel's index. Immutable.
 */
sealed interface Target {
  /** The neighbour {@code address} on a device. */
  record Hop(int device, InetAddress address) implements Target {}

  /**
   * The neighbours on a device that are not known, each being its own next hop. A known one has a
   * host route of its own.
   */
  record OnLink(int device) implements Target {}

  /** Several next hops; one that stands there twice has twice the weight. */
  record Several(List<Target> hops) implements Target {}

  /** This node's own stack, also for what leaves by devices that are not ours. */
  record Local() implements Target {}

  record Blackhole() implements Target {}

  record Unreachable() implements Target {}

  record Prohibited() implements Target {}

  Target LOCAL = new Local();
  Target BLACKHOLE = new Blackhole();
  Target UNREACHABLE = new Unreachable();
  Target PROHIBITED = new Prohibited();
}
