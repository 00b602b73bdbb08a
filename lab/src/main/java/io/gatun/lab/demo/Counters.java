package io.gatun.lab.demo;

import io.gatun.lab.Node;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/** A kernel's own protocol counters, as {@code nstat} prints them; immutable. */
public record Counters(Map<String, Long> values) {

  /** Those of {@code node}'s network namespace now. */
  public static Counters of(Node node) throws IOException {
    // -a absolute values, -s leave the history file alone, -z zeros too.
    String text = node.exec("nstat", "-asz").orThrow().output();
    Map<String, Long> values = new TreeMap<>();
    text.lines()
        .filter(line -> !line.startsWith("#"))
        .map(line -> line.trim().split("\\s+", -1))
        .forEach(words -> values.put(words[0], Long.valueOf(words[1])));
    return new Counters(values);
  }

  /** Packets that arrived with a wrong checksum, over all protocols and both families. */
  public long checksumErrors() {
    return values.entrySet().stream()
        .filter(counter -> counter.getKey().endsWith("CsumErrors"))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  /** Packets this kernel forwarded, both families. */
  public long forwarded() {
    return values.getOrDefault("IpForwDatagrams", 0L)
        + values.getOrDefault("Ip6OutForwDatagrams", 0L);
  }
}
