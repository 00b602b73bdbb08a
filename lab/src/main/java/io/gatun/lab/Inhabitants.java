package io.gatun.lab;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The processes that live in some namespaces, found by {@code /proc/PID/ns/net}; stateless.
 *
 * <p>A namespace lives as long as a process is in it, named or not: whoever deletes the name first
 * leaves a nameless namespace with all its links. Hence: first the inhabitants, then the names.
 */
final class Inhabitants {

  private static final long GRACE_MILLIS = 300;
  private static final long STEP_MILLIS = 5;

  private Inhabitants() {}

  /** The namespaces as /proc shows them; to be asked for while they still have their names. */
  static Set<String> namespaces(List<Node> nodes) {
    return nodes.stream()
        .filter(node -> node.inode() >= 0)
        .map(node -> "net:[" + node.inode() + "]")
        .collect(Collectors.toSet());
  }

  static List<ProcessHandle> of(Set<String> namespaces) throws IOException {
    List<ProcessHandle> found = new ArrayList<>();
    long self = ProcessHandle.current().pid();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
      for (Path process : all) {
        long pid = Long.parseLong(process.getFileName().toString());
        if (pid != self && livesIn(process, namespaces)) {
          ProcessHandle.of(pid).ifPresent(found::add);
        }
      }
    }
    return found;
  }

  /**
   * Asks them to end, waits a moment, ends those that are left and whoever still comes: the thread
   * that plays a demonstration goes on starting programs while another takes its lab down.
   */
  static void end(Set<String> namespaces) throws IOException {
    List<ProcessHandle> living = of(namespaces);
    living.forEach(ProcessHandle::destroy);
    for (long waited = 0; !living.isEmpty(); waited += STEP_MILLIS) {
      if (waited > 10 * GRACE_MILLIS) {
        throw new IOException("processes that will not end: " + living);
      }
      if (waited >= GRACE_MILLIS) {
        living.forEach(ProcessHandle::destroyForcibly);
      }
      try {
        Thread.sleep(STEP_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        living.forEach(ProcessHandle::destroyForcibly);
      }
      living = of(namespaces);
    }
  }

  private static boolean livesIn(Path process, Set<String> namespaces) {
    try {
      return namespaces.contains(Files.readSymbolicLink(process.resolve("ns/net")).toString());
    } catch (IOException e) {
      return false; // ended meanwhile, or a zombie: it holds nothing
    }
  }
}
