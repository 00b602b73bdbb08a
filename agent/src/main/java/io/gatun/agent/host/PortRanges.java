package io.gatun.agent.host;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;

/** Ports as the few ranges that rules are written for; stateless. */
final class PortRanges {
  /** Rules are compared one by one, for every packet that the host sends. */
  private static final int MOST = 16;

  /** Where Kubernetes takes node ports from, unless it is told otherwise. */
  private static final int FIRST_NODE_PORT = 30_000;

  private PortRanges() {}

  /**
   * {@code FIRST-LAST} each. Neighbours share a range; when there are many, so do all node ports
   * with what is between them: what is no front comes back to the host all the same.
   */
  static List<String> of(SortedSet<Integer> ports) {
    List<int[]> exact = joined(ports, 1);
    return (exact.size() <= MOST ? exact : joined(ports, Integer.MAX_VALUE))
        .stream().map(range -> range[0] + "-" + range[1]).toList();
  }

  private static List<int[]> joined(SortedSet<Integer> ports, int nodePortGap) {
    List<int[]> ranges = new ArrayList<>();
    for (int port : ports) {
      int[] last = ranges.isEmpty() ? null : ranges.getLast();
      if (last != null && port - last[1] <= (last[0] >= FIRST_NODE_PORT ? nodePortGap : 1)) {
        last[1] = port;
      } else {
        ranges.add(new int[] {port, port});
      }
    }
    return ranges;
  }
}
