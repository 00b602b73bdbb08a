package io.gatun.service;

import io.gatun.packet.Frame;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The rows of {@code exact-frames.txt}, which scapy wrote. */
final class ExactFrames {
  /**
   * What comes in, and how it ends.
   *
   * @param in one frame for port {@code inPort}
   * @param end send, answer or drop
   * @param reason of a drop, else empty
   * @param out what leaves at {@code outPort}; nothing of a drop
   * @param partial the checksum is left to the device
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Row(
      String name,
      int inPort,
      byte[] in,
      String end,
      String reason,
      int outPort,
      byte[] out,
      boolean partial) {}

  private ExactFrames() {}

  static List<Row> rows() {
    List<String> lines;
    try (InputStream in =
        Objects.requireNonNull(ExactFrames.class.getResourceAsStream("exact-frames.txt"))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      lines = text.lines().filter(line -> !line.startsWith("#")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < lines.size(); i += 3) {
      rows.add(row(lines.get(i), words(lines.get(i + 1)), words(lines.get(i + 2))));
    }
    return rows;
  }

  private static Row row(String name, List<String> in, List<String> end) {
    boolean drop = end.getFirst().equals("drop");
    return new Row(
        name,
        Integer.parseInt(in.get(1)),
        Frame.unhex(in.size() > 2 ? in.get(2) : ""),
        end.getFirst(),
        drop ? end.get(1) : "",
        drop ? -1 : Integer.parseInt(end.get(1)),
        Frame.unhex(drop ? "" : end.get(2)),
        end.contains("partial"));
  }

  private static List<String> words(String line) {
    return List.of(line.strip().split(" "));
  }
}
