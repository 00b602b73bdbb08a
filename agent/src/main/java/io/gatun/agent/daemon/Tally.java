package io.gatun.agent.daemon;

import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Counts how often things are met, and knows the most frequent ones, with room for a bounded number
 * of different ones (Misra and Gries, 1982): of n things, a count is too low by n / 65,536 at most.
 * One thread.
 */
final class Tally<T> {
  private static final int MOST = 1 << 16;

  private final Map<T, Integer> counts = new HashMap<>();

  void count(T thing) {
    counts.merge(thing, 1, Integer::sum);
    if (counts.size() > MOST) {
      counts.replaceAll((_, n) -> n - 1);
      counts.values().removeIf(n -> n == 0);
    }
  }

  /** The most frequent ones, the first first. */
  Map<T, Integer> top(int limit) {
    Map<T, Integer> top = new LinkedHashMap<>();
    counts.entrySet().stream()
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .limit(limit)
        .forEach(entry -> top.put(entry.getKey(), entry.getValue()));
    return top;
  }
}
