package io.gatun.service;

import io.gatun.ffm.memory.NativeArea;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Native memory in powers of two from 64 bytes on, for records that come and go with Services: a
 * mapping each would run into {@code vm.max_map_count}. One thread, the writer's.
 */
final class Blocks implements AutoCloseable {
  private static final int SMALLEST = 6;
  private static final long CHUNK = 1L << 20;

  private final List<NativeArea> chunks = new ArrayList<>();
  private final List<Deque<Long>> free = new ArrayList<>();
  private long next;
  private long end;

  Blocks() {
    for (int i = 0; i < Long.SIZE; i++) {
      free.add(new ArrayDeque<>());
    }
  }

  /** Native memory that is mapped, in bytes. */
  long mapped() {
    return chunks.stream().mapToLong(NativeArea::bytes).sum();
  }

  /** At least {@code bytes} bytes on a line of their own, contents undefined. */
  long take(long bytes) {
    int order = order(bytes);
    Long reused = free.get(order).poll();
    if (reused != null) {
      return reused;
    }
    long size = 1L << order;
    if (end - next < size) {
      NativeArea chunk = NativeArea.map("services", Math.max(CHUNK, size));
      chunks.add(chunk);
      next = chunk.address();
      end = next + chunk.bytes();
    }
    long block = next;
    next += size;
    return block;
  }

  /** Gives back what {@link #take} gave for {@code bytes}; nobody reads it any more. */
  void give(long block, long bytes) {
    free.get(order(bytes)).push(block);
  }

  private static int order(long bytes) {
    return Math.max(SMALLEST, Long.SIZE - Long.numberOfLeadingZeros(bytes - 1));
  }

  @Override
  public void close() {
    chunks.forEach(NativeArea::close);
  }
}
