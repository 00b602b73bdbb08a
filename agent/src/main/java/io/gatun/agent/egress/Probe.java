package io.gatun.agent.egress;

import java.net.InetAddress;
import java.util.Set;

/**
 * The packet that is taken through the rules: TCP, the first of its connection, without a mark.
 * Immutable.
 *
 * @param uplinks the interfaces by one of which it leaves
 */
record Probe(InetAddress src, InetAddress dst, Set<String> uplinks) {

  /** {@code name} may end in {@code +} or {@code *} for any rest. */
  boolean leavesBy(String name) {
    if (name.endsWith("+") || name.endsWith("*")) {
      String prefix = name.substring(0, name.length() - 1);
      return uplinks.stream().anyMatch(uplink -> uplink.startsWith(prefix));
    }
    return uplinks.contains(name);
  }
}
