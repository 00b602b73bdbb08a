package io.gatun.perf;

import java.util.Arrays;

/**
 * How many frames had arrived at a sink, each time that somebody looked. Immutable.
 *
 * @param times of System.nanoTime, ascending; not to be changed
 * @param counts since the sink is there; not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // read only; never compared
record Arrivals(long[] times, long[] counts) {
  /** What {@link Arrivals} are made of, look by look; for one thread. */
  static final class Log {
    private long[] times = new long[1024];
    private long[] counts = new long[1024];
    private int size;

    void add(long time, long count) {
      if (size == times.length) {
        times = Arrays.copyOf(times, 2 * size);
        counts = Arrays.copyOf(counts, 2 * size);
      }
      times[size] = time;
      counts[size++] = count;
    }

    Arrivals arrivals() {
      return new Arrivals(Arrays.copyOf(times, size), Arrays.copyOf(counts, size));
    }
  }

  /** When it was first seen that something had arrived since the first look; −1: never. */
  long first() {
    for (int i = 1; i < times.length; i++) {
      if (counts[i] > counts[0]) {
        return times[i];
      }
    }
    return -1;
  }

  /** Nanoseconds from one arrival to the next, at most. */
  long longestSilence() {
    long longest = 0;
    int before = 0;
    for (int i = 1; i < times.length; i++) {
      if (counts[i] > counts[i - 1]) {
        longest = Math.max(longest, times[i] - times[before]);
        before = i;
      }
    }
    return longest;
  }

  /** Frames a nanosecond in the last {@code nanos}. */
  double rateAtTheEnd(long nanos) {
    int last = times.length - 1;
    int from = last;
    while (from > 0 && times[last] - times[from] < nanos) {
      from--;
    }
    return rate(from, last);
  }

  /** When frames had arrived at {@code rate} a nanosecond for {@code nanos}; −1: never. */
  long reached(double rate, long nanos) {
    int from = 0;
    for (int to = 1; to < times.length; to++) {
      while (from + 1 < to && times[to] - times[from + 1] >= nanos) {
        from++;
      }
      if (times[to] - times[from] >= nanos && rate(from, to) >= rate) {
        return times[to];
      }
    }
    return -1;
  }

  private double rate(int from, int to) {
    return to == from ? 0 : (double) (counts[to] - counts[from]) / (times[to] - times[from]);
  }
}
