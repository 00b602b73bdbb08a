package io.gatun.lab;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One network namespace of a lab; immutable.
 *
 * @param name the name within the lab, such as {@code node-a}
 * @param namespace the name the kernel's tools know, such as {@code gl3f9k-node-a}
 * @param runDirectory a directory of its own, for what runs here; removed with the lab
 */
public record Node(String name, String namespace, Path runDirectory) {

  private static final Path NAMESPACES = Path.of("/run/netns");
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  public Path path() {
    return NAMESPACES.resolve(namespace);
  }

  /** The words that run a command in here: for a ProcessBuilder of one's own. */
  public List<String> enter(String... words) {
    return enter(List.of(words));
  }

  public List<String> enter(List<String> words) {
    List<String> all = new ArrayList<>(List.of("nsenter", "--net=" + path()));
    all.addAll(words);
    return List.copyOf(all);
  }

  public Command command(String... words) {
    return Command.of(enter(words));
  }

  /** Runs a command in here to its end; its exit code is the caller's to judge. */
  public Command.Outcome exec(String... words) throws IOException {
    return command(words).run();
  }

  /**
   * Starts a command in here that goes on, its output appended to {@code LABEL.log} in the run
   * directory: no pipe ties it to us, so it may outlive this process.
   */
  public Process spawn(String label, String... words) throws IOException {
    Files.createDirectories(runDirectory);
    File log = runDirectory.resolve(label + ".log").toFile();
    return new ProcessBuilder(enter(words))
        .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
        .start();
  }

  /** Runs {@code ip} in here with {@code arguments}, words with a space between them. */
  public void ip(String arguments) throws IOException {
    List<String> words = new ArrayList<>(List.of("ip"));
    words.addAll(List.of(arguments.split(" ", -1)));
    exec(words.toArray(String[]::new)).orThrow();
  }

  /** Returns when somebody in here listens on {@code port}, TCP or UDP. */
  public void awaitListening(int port) throws IOException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < end) {
      if (exec("ss", "-Hlntu").orThrow().output().contains(":" + port + " ")) {
        return;
      }
      try {
        TimeUnit.MILLISECONDS.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
    throw new IOException(
        "nobody listens on port " + port + " in " + name + "; see " + runDirectory);
  }

  /** A sysctl's value in here, by its dotted name. */
  public String sysctl(String key) throws IOException {
    return exec("sysctl", "-n", key).orThrow().output().strip();
  }

  public void sysctl(String key, String value) throws IOException {
    exec("sysctl", "-q", "-w", key + "=" + value).orThrow();
  }

  /** Number of the namespace, as {@code /proc/PID/ns/net} shows it; -1 when there is none. */
  long inode() {
    try {
      return (Long) Files.getAttribute(path(), "unix:ino");
    } catch (IOException e) {
      return -1;
    }
  }
}
