package io.gatun.port.memory;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.util.List;

/**
 * Frames one after the other in native memory, in slots of equal size, for a {@link MemoryPort} to
 * receive over and over. Written by one thread, then only read.
 */
public final class Recording implements AutoCloseable {
  private static final int LINE = 64;

  private final int slotBytes;
  private final int[] lengths;
  private final NativeArea area;

  /** Room for {@code frames} frames of up to {@code largest} bytes, all of them empty. */
  public Recording(int frames, int largest) {
    if (frames < 1 || largest < 1) {
      throw new IllegalArgumentException("nothing to replay: give at least one frame");
    }
    slotBytes = (largest + LINE - 1) & -LINE;
    lengths = new int[frames];
    area = NativeArea.map("recording", (long) frames * slotBytes);
  }

  static Recording of(List<byte[]> frames) {
    int largest = frames.stream().mapToInt(frame -> frame.length).max().orElse(0);
    Recording recording = new Recording(frames.size(), largest);
    for (int i = 0; i < frames.size(); i++) {
      byte[] frame = frames.get(i);
      Memory.copyIn(frame, 0, recording.frame(i, frame.length), frame.length);
    }
    return recording;
  }

  /** Makes frame {@code i} one of {@code bytes} bytes and returns where to write them. */
  public long frame(int i, int bytes) {
    lengths[i] = bytes;
    return area.address() + (long) i * slotBytes;
  }

  /** Number of frames. */
  public int size() {
    return lengths.length;
  }

  int slotBytes() {
    return slotBytes;
  }

  /** Copies frame {@code i} and returns its length. */
  int copy(int i, long to) {
    int bytes = lengths[i];
    Memory.copy(area.address() + (long) i * slotBytes, to, bytes);
    return bytes;
  }

  @Override
  public void close() {
    area.close();
  }
}
