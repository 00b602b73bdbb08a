package io.gatun.tunnel;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.fib.lpm.Retirement;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Tunnels by number, off-heap, two cache lines each ({@link Template}). One writer, many readers,
 * without locks: a line is never changed while it can be found; one release store of its address
 * publishes it and the old one is free again after the readers' grace period. Number 0 is "no
 * tunnel" for ever.
 */
public final class TunnelTable implements AutoCloseable {
  private final Retirement retirement;
  private final NativeArea area;
  private final long slots;
  private final long none;
  private final @Nullable Tunnel[] tunnels;
  private final ArrayDeque<Long> freeLines = new ArrayDeque<>();
  private final ArrayDeque<Integer> freeNumbers = new ArrayDeque<>();

  /** Room for the numbers 1 to {@code capacity}. */
  public TunnelTable(int capacity, Retirement retirement) {
    this.retirement = retirement;
    tunnels = new Tunnel[capacity + 1];
    // Twice as many lines as numbers: old ones wait for their readers. Line 0 is that of none.
    long slotBytes = ((capacity + 1) * 8L + Template.LINE - 1) & -Template.LINE;
    area = NativeArea.map("tunnels", slotBytes + (2L * capacity + 1) * Template.LINE);
    slots = area.address();
    none = slots + slotBytes;
    for (int i = 0; i <= capacity; i++) {
      Memory.putLong(slots + i * 8L, none);
    }
    for (int i = 1; i <= 2 * capacity; i++) {
      freeLines.add(none + (long) i * Template.LINE);
    }
    for (int i = 1; i <= capacity; i++) {
      freeNumbers.add(i);
    }
  }

  /** Writer: a number for {@code tunnel}. */
  public int add(Tunnel tunnel) {
    Integer number = freeNumbers.poll();
    if (number == null) {
      throw new IllegalStateException(
          "all %d tunnels are in use; make the table larger".formatted(tunnels.length - 1));
    }
    publish(number, tunnel);
    return number;
  }

  /** Writer: leads {@code number} another way, for all routes that use it, at once. */
  public void replace(int number, Tunnel tunnel) {
    long old = line(number);
    publish(number, tunnel);
    retirement.retire(() -> freeLines.add(old));
  }

  /** Writer: frees {@code number}; no adjacency may name it any more. */
  public void remove(int number) {
    long old = line(number);
    Memory.putLongRelease(slots + number * 8L, none);
    tunnels[number] = null;
    retirement.retire(() -> {
      freeLines.add(old);
      freeNumbers.add(number);
    });
  }

  /** Writer: what {@code number} stands for, null for nothing. */
  public @Nullable Tunnel get(int number) {
    return tunnels[number];
  }

  /** Readers: address of the line of {@code number}, valid until the reader's next quiescence. */
  long line(int number) {
    return Memory.getLongAcquire(slots + number * 8L); // pairs with publish
  }

  private void publish(int number, Tunnel tunnel) {
    Long line = freeLines.poll();
    if (line == null) {
      throw new IllegalStateException("tunnel lines wait for readers; reclaim, then try again");
    }
    Memory.zero(line, Template.LINE);
    Template.fill(line, tunnel);
    tunnels[number] = tunnel;
    Memory.putLongRelease(slots + number * 8L, line); // pairs with line
  }

  /** Frees the memory; no reader may be left. */
  @Override
  public void close() {
    area.close();
  }
}
