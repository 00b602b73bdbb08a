package io.gatun.packet;

import io.gatun.ffm.memory.LiveAreas;
import io.gatun.ffm.memory.Memory;
import java.lang.foreign.Arena;
import java.util.HexFormat;

/**
 * A frame for tests in a live area of exactly its bytes (and, on request, some in front): with
 * {@code gatun.memory.checks} any access beyond it fails. One thread.
 */
public final class Frame implements AutoCloseable {
  private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

  private final Arena arena = Arena.ofConfined();
  private final long start;
  private final long address;
  private final int length;

  private Frame(byte[] bytes, int headroom) {
    length = bytes.length;
    // 64 bytes on either side belong to no area, so that two frames never touch.
    start = arena.allocate(length + headroom + 128L, 8).address() + 64;
    address = start + headroom;
    LiveAreas.add(start, length + headroom);
    Memory.copyIn(bytes, 0, address, length);
  }

  public static Frame of(byte[] bytes) {
    return new Frame(bytes, 0);
  }

  /** With {@code headroom} bytes in front that may be written. */
  public static Frame of(byte[] bytes, int headroom) {
    return new Frame(bytes, headroom);
  }

  /** Where the headroom begins. */
  public long start() {
    return start;
  }

  public long address() {
    return address;
  }

  public int length() {
    return length;
  }

  /** What the frame holds now. */
  public byte[] bytes() {
    return bytes(address, length);
  }

  /** The bytes of any live range. */
  public static byte[] bytes(long address, int length) {
    byte[] bytes = new byte[length];
    Memory.copyOut(address, bytes, 0, length);
    return bytes;
  }

  public static String hex(byte[] bytes) {
    return HEX.formatHex(bytes);
  }

  public static byte[] unhex(String text) {
    return HexFormat.of().parseHex(text.replaceAll("\\s", ""));
  }

  @Override
  public void close() {
    LiveAreas.remove(start);
    arena.close();
  }
}
