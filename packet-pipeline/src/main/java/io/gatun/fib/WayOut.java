package io.gatun.fib;

/**
 * What the route stage remembers in a flow's entry: the adjacency that it found for the flow's
 * packets, and the generation of the routes that it found it in. While that is the present one, an
 * established flow's packets need no lookup. An adjacency may change its meaning meanwhile: it is
 * read anew for every packet.
 *
 * <pre>
 *   ┌─ 40 bits ──┬─ 24 bits ─┐
 *   │ generation │ adjacency │   0: nothing remembered, as generations start with 1
 *   └────────────┴───────────┘
 * </pre>
 *
 * <p>Two workers may write the same word at the same time: both wrote something true.
 */
public final class WayOut {
  /** Where the word stands in the entry that {@code PacketVector.flow} points at, in bytes. */
  public static final int OFFSET = 56;

  private static final int SHIFT = 24;
  private static final long ADJACENCY = (1L << SHIFT) - 1;

  private WayOut() {}

  static long word(long generation, int adjacency) {
    return generation << SHIFT | adjacency;
  }

  static boolean current(long word, long generation) {
    return word >>> SHIFT == generation;
  }

  static long adjacency(long word) {
    return word & ADJACENCY;
  }
}
