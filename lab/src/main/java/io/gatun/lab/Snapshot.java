package io.gatun.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * What a machine or a namespace looks like to its kernel: links with their features, addresses,
 * rules, routes, permanent neighbours, the sysctls a dataplane touches, nftables, named namespaces
 * and pinned BPF objects; immutable. Counters and ages are left out: two snapshots of an untouched
 * machine are equal.
 *
 * <pre>{@code
 * Snapshot before = Snapshot.of(node);
 * ...
 * assertEquals(List.of(), before.differences(Snapshot.of(node)));
 * }</pre>
 */
public final class Snapshot {

  private static final String SYSCTLS =
      "^net\\.(ipv4\\.ip_forward|ipv4\\.ip_local|ipv[46]\\.conf\\..*\\."
          + "(forwarding|rp_filter|proxy_arp|proxy_ndp|accept_local|arp_ignore|arp_announce"
          + "|route_localnet|accept_ra|accept_dad|disable_ipv6|send_redirects)$)";

  /** Every link's switchable offloads: what somebody turned off must be on again. */
  private static final String FEATURES =
      "for d in $(ip -o link | sed 's/^[0-9]*: \\([^:@]*\\).*/\\1/'); do"
          + " ethtool -k $d 2>/dev/null | grep -v fixed | sed \"s/^/$d /\"; done; true";

  private static final Map<String, List<String>> SECTIONS = new LinkedHashMap<>();

  static {
    SECTIONS.put("link", List.of("ip", "-o", "link", "show"));
    SECTIONS.put("feature", List.of("sh", "-c", FEATURES));
    SECTIONS.put("address", List.of("ip", "-o", "address", "show"));
    SECTIONS.put("rule", List.of("sh", "-c", "ip -4 rule; ip -6 rule"));
    SECTIONS.put(
        "route",
        List.of("sh", "-c", "ip -o -4 route show table all; ip -o -6 route show table all"));
    SECTIONS.put("neighbour", List.of("ip", "-o", "neigh", "show", "nud", "permanent"));
    SECTIONS.put("sysctl", List.of("sysctl", "-a", "-e", "-r", SYSCTLS));
    SECTIONS.put("nft", List.of("nft", "-s", "list", "ruleset"));
  }

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
    sections.forEach((section, before) -> {
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

  @Override
  public String toString() {
    var text = new StringBuilder();
    sections.forEach((section, lines) ->
        lines.forEach(line -> text.append(section).append(": ").append(line).append('\n')));
    return text.toString();
  }

  private static Snapshot take(Function<List<String>, List<String>> enter) throws IOException {
    Map<String, List<String>> taken = new LinkedHashMap<>();
    for (var section : SECTIONS.entrySet()) {
      Command.Outcome outcome = Command.of(enter.apply(section.getValue())).run().orThrow();
      taken.put(section.getKey(), outcome.output().lines().map(Snapshot::steady).toList());
    }
    taken.put("namespace", names(Path.of("/run/netns"), 1));
    List<String> pins = new ArrayList<>();
    for (String mount : bpfMounts()) {
      pins.add(mount);
      pins.addAll(names(Path.of(mount), Integer.MAX_VALUE));
    }
    taken.put("pin", pins);
    return new Snapshot(taken);
  }

  /** Without what changes by itself. */
  private static String steady(String line) {
    return line.replaceAll("(valid_lft|preferred_lft|expires|hoplimit) \\S+", "")
        .replaceAll("\\s+", " ")
        .strip();
  }

  private static List<String> bpfMounts() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mounts")).stream()
        .map(line -> line.split(" ", -1))
        .filter(fields -> fields[2].equals("bpf"))
        .map(fields -> fields[1])
        .sorted()
        .toList();
  }

  private static List<String> names(Path directory, int depth) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(directory, depth)) {
      return files.filter(file -> !file.equals(directory)).map(Path::toString).sorted().toList();
    }
  }
}
