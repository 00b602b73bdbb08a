package io.gatun.ring.qsbr;

import io.gatun.ring.qsbr.Qsbr.Reclaimer;
import java.util.Arrays;

/** Records in the order of their retirement; the writer's own, grows as needed. */
final class Retired {
  private long[] records = new long[64];
  private long[] epochs = new long[64];
  private Reclaimer[] how = new Reclaimer[64];
  private int first;
  private int end;

  void add(long record, Reclaimer reclaimer, long epoch) {
    if (end == records.length) {
      makeRoom();
    }
    records[end] = record;
    epochs[end] = epoch;
    how[end++] = reclaimer;
  }

  /** Frees all whose epoch every reader has {@code seen}; epochs only grow, so the first stops. */
  int free(long seen) {
    int freed = 0;
    while (first < end && epochs[first] <= seen) {
      int i = first++; // before the call: a reclaimer may retire further records
      how[i].free(records[i]);
      freed++;
    }
    return freed;
  }

  boolean isEmpty() {
    return first == end;
  }

  int size() {
    return end - first;
  }

  private void makeRoom() {
    int n = size();
    int capacity = n > records.length / 2 ? records.length * 2 : records.length;
    records = Arrays.copyOf(Arrays.copyOfRange(records, first, end), capacity);
    epochs = Arrays.copyOf(Arrays.copyOfRange(epochs, first, end), capacity);
    how = Arrays.copyOf(Arrays.copyOfRange(how, first, end), capacity);
    first = 0;
    end = n;
  }
}
