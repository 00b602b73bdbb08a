package io.gatun.tunnel;

import io.gatun.fib.NumberedLines;
import io.gatun.fib.lpm.Retirement;

/**
 * Tunnels by number, off-heap, two cache lines each ({@link Template}). One writer, many readers,
 * without locks. Number 0 is "no tunnel" for ever.
 */
public final class TunnelTable extends NumberedLines<Tunnel> {
  /** Room for the numbers 1 to {@code capacity}. */
  public TunnelTable(int capacity, Retirement retirement) {
    super("tunnels", capacity, Template.LINE, retirement);
  }

  @Override
  protected void fill(long line, Tunnel tunnel) {
    Template.fill(line, tunnel);
  }
}
