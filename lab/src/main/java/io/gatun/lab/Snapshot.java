package io.gatun.lab;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * What a machine or a namespace looks like to its kernel: links with their features, addresses,
 * rules, routes, permanent neighbours, the sysctls a dataplane touches, nftables, named namespaces
 * and pinned BPF objects; immutable. Counters and ages are left out: two snapshots of an untouched
 * machine are equal. What is looked at, the script {@code snapshot.sh} says.
 *
 * <pre>{@code
 * Snapshot before = Snapshot.of(node);
 * ...
 * assertEquals(List.of(), before.differences(Snapshot.of(node)));
 * }</pre>
 */
public final class Snapshot {

  private final Map<String, List<String>> sections;

  private Snapshot(Map<String, List<String>> sections) {
    this.sections = sections;
  }

  /** Of the namespace this process is in. */
  public static Snapshot ofMachine() throws IOException {
    return take(words -> words);
  }

  /** Of a node; pins and named namespaces are the machine's all the same. */
  public static Snapshot of(Node node) throws IOException {
    return take(node::enter);
  }

  /**
   * Lines that went, {@code - link: …}, and lines that came, {@code + route: …}; empty if equal.
   */
  public List<String> differences(Snapshot later) {
    List<String> all = new ArrayList<>();
    Set<String> kinds = new LinkedHashSet<>(sections.keySet());
    kinds.addAll(later.sections.keySet());
    kinds.forEach(section -> {
      List<String> before = sections.getOrDefault(section, List.of());
      List<String> gone = new ArrayList<>(before);
      List<String> come = new ArrayList<>(later.sections.getOrDefault(section, List.of()));
      for (String line : before) {
        if (come.remove(line)) {
          gone.remove(line);
        }
      }
      gone.forEach(line -> all.add("- " + section + ": " + line));
      come.forEach(line -> all.add("+ " + section + ": " + line));
    });
    return all;
  }

  /**
   * The same on a machine that others use too: of the named namespaces and pins, which they make
   * and remove meanwhile, only those whose line contains {@code ours}.
   */
  public List<String> differences(Snapshot later, String ours) {
    return differences(later).stream()
        .filter(line -> !line.matches("[+-] (namespace|pin): .*") || line.contains(ours))
        .toList();
  }

  @Override
  public String toString() {
    var text = new StringBuilder();
    sections.forEach((section, lines) ->
        lines.forEach(line -> text.append(section).append(": ").append(line).append('\n')));
    return text.toString();
  }

  private static Snapshot take(Function<List<String>, List<String>> enter) throws IOException {
    Command.Outcome outcome =
        Command.of(enter.apply(List.of("sh", "-s"))).reading(script()).run().orThrow();
    Map<String, List<String>> taken = new LinkedHashMap<>();
    for (String line : outcome.output().lines().toList()) {
      int colon = line.indexOf(": ");
      taken
          .computeIfAbsent(line.substring(0, colon), kind -> new ArrayList<>())
          .add(line.substring(colon + 2));
    }
    return new Snapshot(taken);
  }

  private static String script() throws IOException {
    try (InputStream resource = Snapshot.class.getResourceAsStream("snapshot.sh")) {
      if (resource == null) {
        throw new FileNotFoundException("snapshot.sh");
      }
      return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
