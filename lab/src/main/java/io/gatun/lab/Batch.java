package io.gatun.lab;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Lines for {@code ip -batch} and {@code sysctl}, gathered by namespace; for one thread.
 *
 * <p>Starting a process costs more than a namespace: a lab of ten nodes takes some twenty processes
 * this way instead of two hundred.
 */
public final class Batch {

  private final Map<Node, StringBuilder> links = new LinkedHashMap<>();
  private final Map<Node, StringBuilder> sysctls = new LinkedHashMap<>();

  /** One line of iproute2 without the word {@code ip}: {@code link set eth0 up}. */
  public Batch ip(Node node, String line) {
    append(links, node, line);
    return this;
  }

  /** One setting, {@code net.ipv4.ip_forward=0}; all settings come before the lines of ip. */
  public Batch sysctl(Node node, String setting) {
    append(sysctls, node, setting);
    return this;
  }

  /** Runs what was gathered, in the order the nodes were first named, and forgets it. */
  public void run() throws IOException {
    for (var entry : sysctls.entrySet()) {
      String settings = entry.getValue().toString();
      Command.of(entry.getKey().enter("sysctl", "-q", "-p", "-")).reading(settings).run().orThrow();
    }
    for (var entry : links.entrySet()) {
      Command.of("ip", "-n", entry.getKey().namespace(), "-batch", "-")
          .reading(entry.getValue().toString())
          .run()
          .orThrow();
    }
    sysctls.clear();
    links.clear();
  }

  /** Makes or deletes namespaces, all by one process. */
  static Command.Outcome namespaces(String verb, List<Node> nodes) throws IOException {
    var lines = new StringBuilder();
    nodes.forEach(node ->
        lines.append("netns ").append(verb).append(' ').append(node.namespace()).append('\n'));
    // -force: one that is gone already must not keep the others.
    return Command.of("ip", "-force", "-batch", "-").reading(lines.toString()).run();
  }

  private static void append(Map<Node, StringBuilder> to, Node node, String line) {
    to.computeIfAbsent(node, any -> new StringBuilder()).append(line).append('\n');
  }
}
