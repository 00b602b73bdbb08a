package io.gatun.fib;

import io.gatun.ffm.memory.Memory;
import io.gatun.fib.lpm.Retirement;

/**
 * Adjacencies by number, off-heap, a cache line each. One writer, many readers, without locks.
 *
 * <pre>
 *   ┌──────┬────────────────┬─────┬───────┬─────────────────┬────────────┬─
 *   │ kind │ port or tunnel │ MTU │ count │ destination MAC │ source MAC │
 *   └──────┴────────────────┴─────┴───────┴─────────────────┴────────────┴─
 *   0      4                8     12      16                22           28
 * </pre>
 *
 * Host order, MACs as on the wire. The members of a group stand from offset 16. Number 0 is "no
 * route" for ever.
 */
public final class AdjacencyTable extends NumberedLines<Adjacency> {
  static final int KIND = 0;
  static final int PORT = 4;
  static final int MTU = 8;
  static final int COUNT = 12;
  static final int MACS = 16;
  static final int MEMBERS = 16;

  // Kinds. Packets with a kind up to HOST go out; the others are dropped.
  static final int NONE = 0;
  static final int FORWARD = 1;
  static final int TUNNEL = 2;
  static final int HOST = 3;
  static final int GROUP = 4;
  static final int UNRESOLVED = 5;
  static final int BLACKHOLE = 6;
  static final int UNREACHABLE = 7;
  static final int PROHIBITED = 8;

  private static final int LINE = 64;

  /** Room for the numbers 1 to {@code capacity}. */
  public AdjacencyTable(int capacity, Retirement retirement) {
    super("adjacencies", capacity, LINE, retirement);
  }

  @Override
  protected void fill(long line, Adjacency adjacency) {
    switch (adjacency) {
      case Adjacency.Forward(int port, long source, long destination, int mtu) ->
          fill(line, FORWARD, port, mtu, source, destination);
      case Adjacency.Tunnel(int tunnel, long source, long destination, int mtu) ->
          fill(line, TUNNEL, tunnel, mtu, source, destination);
      case Adjacency.Unresolved(int port, long source, int mtu) ->
          fill(line, UNRESOLVED, port, mtu, source, 0);
      case Adjacency.Host(int port, long source, long destination) ->
          fill(line, HOST, port, 0, source, destination);
      case Adjacency.Blackhole() -> Memory.putInt(line + KIND, BLACKHOLE);
      case Adjacency.Unreachable() -> Memory.putInt(line + KIND, UNREACHABLE);
      case Adjacency.Prohibited() -> Memory.putInt(line + KIND, PROHIBITED);
      case Adjacency.Group group -> {
        Memory.putInt(line + KIND, GROUP);
        Memory.putInt(line + COUNT, group.members().size());
        for (int i = 0; i < group.members().size(); i++) {
          Memory.putInt(line + MEMBERS + i * 4L, group.members().get(i));
        }
      }
    }
  }

  private static void fill(
      long line, int kind, int port, int mtu, long sourceMac, long destinationMac) {
    Memory.putInt(line + KIND, kind);
    Memory.putInt(line + PORT, port);
    Memory.putInt(line + MTU, mtu);
    Memory.putLongBe(line + MACS, destinationMac << 16 | sourceMac >>> 32);
    Memory.putIntBe(line + MACS + 8, (int) sourceMac);
  }
}
