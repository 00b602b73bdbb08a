package io.gatun.fib;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.fib.lpm.Retirement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Things by number, off-heap, each in a line of its own. One writer, many readers, without locks.
 *
 * <pre>
 *   slots, 8 bytes each            lines
 *   ┌─────┬─────┬─────┬──          ┌──────────────────┬─
 *   │ none│  ●──┼─────┼─────────►  │ what 1 stands for│
 *   └─────┴─────┴─────┴──          └──────────────────┴─
 *     0     1     2
 * </pre>
 *
 * <p>A line is never changed while it can be found: a new one is filled, one release store of its
 * address into the slot publishes it, and the old one is free again after the readers' grace
 * period. So a reader sees a line's old content or its new one, never half of each. A number that
 * stands for nothing, as 0 does for ever, has a line of zeros.
 *
 * @param <T> the control side's view of a line
 */
public abstract class NumberedLines<T> implements AutoCloseable {
  private final String what;
  private final int capacity;
  private final int lineBytes;
  private final Retirement retirement;
  private final NativeArea area;
  private final long slots;
  private final long none;
  private final List<@Nullable T> values;
  private final ArrayDeque<Long> freeLines = new ArrayDeque<>();
  private final ArrayDeque<Integer> freeNumbers = new ArrayDeque<>();

  /**
   * Room for the numbers 1 to {@code capacity}.
   *
   * @param what they are, in the plural, for messages
   * @param lineBytes a power of two
   */
  protected NumberedLines(String what, int capacity, int lineBytes, Retirement retirement) {
    this.what = what;
    this.capacity = capacity;
    this.lineBytes = lineBytes;
    this.retirement = retirement;
    values = new ArrayList<>(Collections.nCopies(capacity + 1, null));
    // Twice as many lines as numbers: old ones wait for their readers. Line 0 is that of nothing.
    long slotBytes = ((capacity + 1) * 8L + lineBytes - 1) & -lineBytes;
    area = NativeArea.map(what, slotBytes + (2L * capacity + 1) * lineBytes);
    slots = area.address();
    none = slots + slotBytes;
    for (int i = 0; i <= capacity; i++) {
      Memory.putLong(slots + i * 8L, none);
    }
    for (int i = 1; i <= 2 * capacity; i++) {
      freeLines.add(none + (long) i * lineBytes);
    }
    for (int i = 1; i <= capacity; i++) {
      freeNumbers.add(i);
    }
  }

  /** Writes {@code value} into the zeroed {@code line}. */
  protected abstract void fill(long line, T value);

  /** Writer: a number for {@code value}. */
  public final int add(T value) {
    Integer number = freeNumbers.poll();
    if (number == null) {
      throw new IllegalStateException(
          "all %d %s are in use; make the table larger".formatted(capacity, what));
    }
    publish(number, value);
    return number;
  }

  /** Writer: gives {@code number} another meaning, for all that name it, at once. */
  public final void replace(int number, T value) {
    long old = line(number);
    publish(number, value);
    retirement.retire(() -> freeLines.add(old));
  }

  /**
   * Writer: frees {@code number}; nothing may name it any more. Readers that found it a moment ago
   * find its line until their grace period is over.
   */
  public final void remove(int number) {
    values.set(number, null);
    retirement.retire(() -> {
      freeLines.add(line(number));
      Memory.putLongRelease(slots + number * 8L, none);
      freeNumbers.add(number);
    });
  }

  /** Writer: what {@code number} stands for, null for nothing. */
  public final @Nullable T get(int number) {
    return values.get(number);
  }

  /** Readers: address of the line of {@code number}, valid until the reader's next quiescence. */
  public final long line(int number) {
    return line(slots, number);
  }

  /** The same with {@link #slots}, for loops. */
  protected static long line(long slots, long number) {
    // No acquire: what is read next depends on this address, and every processor that the JVM runs
    // on keeps dependent loads in order. The release is in publish.
    return Memory.getLong(slots + number * 8);
  }

  final long slots() {
    return slots;
  }

  private void publish(int number, T value) {
    Long line = freeLines.poll();
    if (line == null) {
      throw new IllegalStateException(what + ": lines wait for readers; reclaim, then try again");
    }
    Memory.zero(line, lineBytes);
    fill(line, value);
    values.set(number, value);
    Memory.putLongRelease(slots + number * 8L, line); // pairs with line
  }

  /** Frees the memory; no reader may be left. */
  @Override
  public final void close() {
    area.close();
  }
}
