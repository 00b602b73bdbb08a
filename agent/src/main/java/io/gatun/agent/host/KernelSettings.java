package io.gatun.agent.host;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What we have set in the kernel, in order, as the file {@code settings} of the run directory has
 * it: each line is written before its setting is made, so a daemon that is killed in between leaves
 * a line too many, never one too few. Safe for many threads; one process at a time.
 *
 * <p>The first line names the network namespace that the settings are in: in another one they are
 * left alone.
 */
public final class KernelSettings {
  private final Path file;
  private final Set<Setting> recorded = new LinkedHashSet<>();
  private final Set<Setting> made = new LinkedHashSet<>();

  private KernelSettings(Path file) {
    this.file = file;
  }

  /**
   * What is recorded in {@code file}, which need not exist.
   *
   * @throws IllegalStateException when that was set in another network namespace
   */
  public static KernelSettings open(Path file) {
    KernelSettings settings = new KernelSettings(file);
    try {
      if (Files.exists(file)) {
        List<String> lines = Files.readAllLines(file);
        if (!lines.isEmpty() && !lines.getFirst().equals(namespace())) {
          throw new IllegalStateException(
              "%s is of network namespace %s, this is %s: enter it with nsenter --net=…"
                  .formatted(file, lines.getFirst(), namespace()));
        }
        lines.stream().skip(1).map(Setting::of).forEach(settings.recorded::add);
      }
      return settings;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  private static String namespace() throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString();
  }

  /** Whether this was recorded, by us or by a predecessor. */
  synchronized boolean has(Setting setting) {
    return recorded.contains(setting);
  }

  /** Whether anything recorded is undone like that. */
  synchronized boolean undoes(String undo) {
    return recorded.stream().anyMatch(setting -> setting.undo().equals(undo));
  }

  /** Makes {@code wanted} unless this process has; returns what failed, a line each. */
  synchronized List<String> ensure(Collection<Setting> wanted) {
    List<Setting> missing = wanted.stream().filter(setting -> !made.contains(setting)).toList();
    if (missing.isEmpty()) {
      return List.of();
    }
    recorded.addAll(missing);
    write();
    made.addAll(missing);
    return run(missing, false);
  }

  /** Makes {@code wanted}, and undoes what else there is; returns what failed, a line each. */
  synchronized List<String> want(Collection<Setting> wanted) {
    List<Setting> old = new ArrayList<>(recorded);
    old.removeAll(wanted instanceof Set ? wanted : new LinkedHashSet<>(wanted));
    List<String> complaints = new ArrayList<>();
    if (!old.isEmpty()) {
      complaints.addAll(run(old.reversed(), true));
      old.forEach(recorded::remove);
      old.forEach(made::remove);
    }
    boolean sameFile = made.containsAll(wanted);
    complaints.addAll(ensure(wanted));
    if (sameFile && !old.isEmpty()) {
      write();
    }
    return complaints;
  }

  /** Undoes everything, the latest first; returns how much there was. */
  public synchronized int undo() {
    int count = recorded.size();
    run(new ArrayList<>(recorded).reversed(), true);
    recorded.clear();
    made.clear();
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove " + file, e);
    }
    return count;
  }

  private static List<String> run(List<Setting> settings, boolean undo) {
    List<String> complaints = new ArrayList<>();
    for (boolean ipv6 : new boolean[] {undo, !undo}) { // the pair itself is IPv4's: first, last
      List<String> lines =
          settings.stream()
              .filter(setting -> setting.ipv6() == ipv6)
              .map(setting -> undo ? setting.undo() : setting.add())
              .toList();
      complaints.addAll(Ip.batch(ipv6, lines));
    }
    return complaints;
  }

  private void write() {
    List<String> lines = new ArrayList<>();
    try {
      lines.add(namespace());
      recorded.forEach(setting -> lines.add(setting.line()));
      Path draft = file.resolveSibling(file.getFileName() + ".new");
      Files.write(
          draft,
          lines,
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.WRITE,
          StandardOpenOption.DSYNC);
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }
}
