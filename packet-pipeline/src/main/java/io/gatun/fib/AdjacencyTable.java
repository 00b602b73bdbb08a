package io.gatun.fib;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.fib.lpm.Retirement;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Adjacencies by number, off-heap. One writer, many readers, without locks.
 *
 * <pre>
 *   slots, 8 bytes each            lines, 64 bytes each (host order, MACs as on the wire)
 *   ┌─────┬─────┬─────┬──          ┌──────┬──────┬─────┬───────┬─────────────────┬────────────┬─
 *   │ none│  ●──┼─────┼─────────►  │ kind │ port │ MTU │ count │ destination MAC │ source MAC │
 *   └─────┴─────┴─────┴──          └──────┴──────┴─────┴───────┴─────────────────┴────────────┴─
 *     0     1     2                0      4      8     12      16                22           28
 * </pre>
 *
 * <p>A line is never changed while it can be found: a new one is filled, one release store of its
 * address into the slot publishes it, and the old one is free again after the readers' grace
 * period. So a reader sees a line's old content or its new one, never half of each. The members of
 * a group stand from offset 16. Number 0 is "no route" for ever.
 */
public final class AdjacencyTable implements AutoCloseable {
  static final int KIND = 0;
  static final int PORT = 4;
  static final int MTU = 8;
  static final int COUNT = 12;
  static final int MACS = 16;
  static final int MEMBERS = 16;

  // Kinds. Packets with a kind up to HOST go out; the others are dropped.
  static final int NONE = 0;
  static final int FORWARD = 1;
  static final int HOST = 2;
  static final int GROUP = 3;
  static final int UNRESOLVED = 4;
  static final int BLACKHOLE = 5;
  static final int UNREACHABLE = 6;

  private static final int LINE = 64;

  private final Retirement retirement;
  private final NativeArea area;
  private final long slots;
  private final @Nullable Adjacency[] adjacencies;
  private final ArrayDeque<Long> freeLines = new ArrayDeque<>();
  private final ArrayDeque<Integer> freeNumbers = new ArrayDeque<>();

  /** Room for the numbers 1 to {@code capacity}. */
  public AdjacencyTable(int capacity, Retirement retirement) {
    this.retirement = retirement;
    adjacencies = new Adjacency[capacity + 1];
    // Twice as many lines as numbers: old ones wait for their readers. Line 0 is that of no route.
    long slotBytes = ((capacity + 1) * 8L + LINE - 1) & -LINE;
    area = NativeArea.map("adjacencies", slotBytes + (2L * capacity + 1) * LINE);
    slots = area.address();
    long none = slots + slotBytes;
    for (int i = 0; i <= capacity; i++) {
      Memory.putLong(slots + i * 8L, none);
    }
    for (int i = 1; i <= 2 * capacity; i++) {
      freeLines.add(none + (long) i * LINE);
    }
    for (int i = 1; i <= capacity; i++) {
      freeNumbers.add(i);
    }
  }

  /** Writer: a number for {@code adjacency}. */
  public int add(Adjacency adjacency) {
    Integer number = freeNumbers.poll();
    if (number == null) {
      throw new IllegalStateException(
          "all %d adjacencies are in use; make the table larger".formatted(adjacencies.length - 1));
    }
    publish(number, adjacency);
    return number;
  }

  /** Writer: gives {@code number} another meaning, for all routes that use it, at once. */
  public void replace(int number, Adjacency adjacency) {
    long old = line(number);
    publish(number, adjacency);
    retirement.retire(() -> freeLines.add(old));
  }

  /** Writer: frees {@code number}; no route and no group may name it any more. */
  public void remove(int number) {
    long old = line(number);
    Memory.putLongRelease(slots + number * 8L, line(0));
    adjacencies[number] = null;
    retirement.retire(() -> {
      freeLines.add(old);
      freeNumbers.add(number);
    });
  }

  /** Writer: what {@code number} stands for, null for nothing. */
  public @Nullable Adjacency get(int number) {
    return adjacencies[number];
  }

  /** Readers: address of the line of {@code number}, valid until the reader's next quiescence. */
  long line(int number) {
    return line(slots, number);
  }

  /** The same with {@link #slots}, for loops. */
  static long line(long slots, long number) {
    // No acquire: what is read next depends on this address, and every processor that the JVM runs
    // on keeps dependent loads in order. The release is in publish.
    return Memory.getLong(slots + number * 8);
  }

  long slots() {
    return slots;
  }

  private void publish(int number, Adjacency adjacency) {
    Long line = freeLines.poll();
    if (line == null) {
      throw new IllegalStateException("adjacency lines wait for readers; reclaim, then try again");
    }
    Memory.zero(line, LINE);
    switch (adjacency) {
      case Adjacency.Forward(int port, long source, long destination, int mtu) ->
          fill(line, FORWARD, port, mtu, source, destination);
      case Adjacency.Unresolved(int port, long source, int mtu) ->
          fill(line, UNRESOLVED, port, mtu, source, 0);
      case Adjacency.Host(int port, long source, long destination) ->
          fill(line, HOST, port, 0, source, destination);
      case Adjacency.Blackhole() -> Memory.putInt(line + KIND, BLACKHOLE);
      case Adjacency.Unreachable() -> Memory.putInt(line + KIND, UNREACHABLE);
      case Adjacency.Group group -> {
        Memory.putInt(line + KIND, GROUP);
        Memory.putInt(line + COUNT, group.members().size());
        for (int i = 0; i < group.members().size(); i++) {
          Memory.putInt(line + MEMBERS + i * 4L, group.members().get(i));
        }
      }
    }
    adjacencies[number] = adjacency;
    Memory.putLongRelease(slots + number * 8L, line); // pairs with line
  }

  private static void fill(
      long line, int kind, int port, int mtu, long sourceMac, long destinationMac) {
    Memory.putInt(line + KIND, kind);
    Memory.putInt(line + PORT, port);
    Memory.putInt(line + MTU, mtu);
    Memory.putLongBe(line + MACS, destinationMac << 16 | sourceMac >>> 32);
    Memory.putIntBe(line + MACS + 8, (int) sourceMac);
  }

  /** Frees the memory; no reader may be left. */
  @Override
  public void close() {
    area.close();
  }
}
