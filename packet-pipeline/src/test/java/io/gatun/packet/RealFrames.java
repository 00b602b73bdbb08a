package io.gatun.packet;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** Frames that the kernel's own stack sent, from {@code real-frames.txt}. */
public final class RealFrames {
  /** One frame and what it is. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Real(String name, byte[] bytes) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final List<Real> ALL = read();

  private RealFrames() {}

  public static List<Real> all() {
    return ALL;
  }

  /** The frame of this name. */
  public static byte[] named(String name) {
    return ALL.stream().filter(r -> r.name().equals(name)).findFirst().orElseThrow().bytes();
  }

  private static List<Real> read() {
    try (InputStream in =
        Objects.requireNonNull(RealFrames.class.getResourceAsStream("real-frames.txt"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split(" = ", 2))
          .map(parts -> new Real(parts[0], Frame.unhex(parts[1])))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
