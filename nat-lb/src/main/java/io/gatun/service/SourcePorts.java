package io.gatun.service;

/**
 * Ports that masqueraded flows may come from: {@code first} to {@code last} but for those from
 * {@code holeFirst} to {@code holeLast}, all inclusive. Immutable.
 */
record SourcePorts(int first, int last, int holeFirst, int holeLast) {
  private static final int LOWEST = 1024;
  private static final int HIGHEST = 65_535;

  /** All that need no privilege. */
  static final SourcePorts ALL = of(LOWEST, HIGHEST);

  /** Without a hole. */
  static SourcePorts of(int first, int last) {
    return new SourcePorts(first, last, last + 1, last);
  }

  /** {@link #ALL} without these, which somebody else uses. */
  static SourcePorts without(int holeFirst, int holeLast) {
    int from = Math.max(LOWEST, holeFirst);
    int to = Math.min(HIGHEST, holeLast);
    boolean none = to < from || to - from == HIGHEST - LOWEST; // all: then rather any than none
    return none ? ALL : new SourcePorts(LOWEST, HIGHEST, from, to);
  }

  int count() {
    return last - first + 1 - (holeLast - holeFirst + 1);
  }

  /** One of them; {@code index} is below {@link #count}. */
  int port(int index) {
    int port = first + index;
    return port < holeFirst ? port : port + (holeLast - holeFirst + 1);
  }

  boolean has(int port) {
    return port >= first && port <= last && (port < holeFirst || port > holeLast);
  }
}
