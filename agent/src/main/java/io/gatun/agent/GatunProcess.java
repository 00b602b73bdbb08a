package io.gatun.agent;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.agent.admin.AdminClient;
import io.gatun.lab.Node;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@code gatun run} inside a node of a laboratory, as an operator would start it; for one thread.
 */
public final class GatunProcess implements NodeDataplane.Running {
  private final Process process;
  private final Path log;
  private final RunDirectory run;
  private boolean stopped;

  private GatunProcess(Process process, Path log, RunDirectory run) {
    this.process = process;
    this.log = log;
    this.run = run;
  }

  /**
   * Starts it in {@code node}'s namespace, through the launcher when there is one.
   *
   * @param manifests a file that ends in {@code .kubeconfig} says which cluster to follow
   */
  public static GatunProcess start(Node node, Path config, Path manifests) throws IOException {
    return start(node, config, manifests, System.getProperty("gatun.launcher"), List.of());
  }

  /** The same without a standby: what is measured, or only shown, has the machine to itself. */
  public static GatunProcess alone(Node node, Path config, Path manifests) throws IOException {
    String launcher = System.getProperty("gatun.launcher");
    return start(node, config, manifests, launcher, List.of(), List.of("--no-standby"));
  }

  /** Starts it without a supervisor, with more words for {@code run}. */
  public static GatunProcess start(Node node, Path config, Path manifests, List<String> more)
      throws IOException {
    return start(node, config, manifests, null, List.of(), more);
  }

  /**
   * Starts it with Java options of its own, {@code -Dgatun.fault=stuck} for example.
   *
   * @param launcher which then supervises it; null: this JVM's own class path, and no supervisor
   */
  public static GatunProcess start(
      Node node, Path config, Path manifests, @Nullable String launcher, List<String> javaOptions)
      throws IOException {
    return start(node, config, manifests, launcher, javaOptions, List.of());
  }

  /**
   * Starts it by another program that then becomes it: {@code setpriv …} for example.
   *
   * @param more words for {@code run}
   */
  public static GatunProcess startBy(
      List<String> program, Node node, Path config, Path manifests, List<String> more)
      throws IOException {
    return start(program, node, config, manifests, null, List.of(), more);
  }

  /** Both: Java options, and more words for {@code run}. */
  public static GatunProcess start(
      Node node,
      Path config,
      Path manifests,
      @Nullable String launcher,
      List<String> javaOptions,
      List<String> more)
      throws IOException {
    return start(List.of(), node, config, manifests, launcher, javaOptions, more);
  }

  private static GatunProcess start(
      List<String> program,
      Node node,
      Path config,
      Path manifests,
      @Nullable String launcher,
      List<String> javaOptions,
      List<String> more)
      throws IOException {
    List<String> words = new ArrayList<>(program);
    words.addAll(launcher == null ? java(javaOptions) : List.of(launcher));
    boolean cluster = String.valueOf(manifests.getFileName()).endsWith(".kubeconfig");
    words.addAll(
        List.of(
            "run",
            "--config",
            config.toString(),
            cluster ? "--kubeconfig" : "--manifests",
            manifests.toString()));
    words.addAll(more);
    Files.createDirectories(node.runDirectory());
    Path log = node.runDirectory().resolve("gatun.log");
    ProcessBuilder builder = new ProcessBuilder(node.enter(words));
    builder.environment().put("GATUN_RUN_DIR", node.runDirectory().toString());
    if (launcher != null) {
      builder.environment().put("GATUN_JAVA_OPTIONS", String.join(" ", javaOptions));
    }
    builder.redirectErrorStream(true).redirectOutput(log.toFile());
    return new GatunProcess(builder.start(), log, new RunDirectory(node.runDirectory()));
  }

  /** Waits until the process that would take its place is {@code warm}, or {@code warming up}. */
  public void awaitStandby(String state, Duration patience) throws IOException {
    long giveUp = System.nanoTime() + patience.toNanos();
    while (!AdminClient.ask(run.socket(), "status").path("standby").asText().equals(state)) {
      if (System.nanoTime() > giveUp) {
        throw new IOException("no standby:\n" + log());
      }
      sleep(20);
    }
  }

  private static List<String> java(List<String> options) {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.add("--enable-native-access=ALL-UNNAMED");
    words.add("--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED");
    words.add("-XX:+UseZGC");
    words.add("-Xmx1g");
    words.addAll(options);
    words.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    return words;
  }

  /** The launcher's or, without it, the daemon's own process. */
  public Process process() {
    return process;
  }

  /** Everything it has printed so far. */
  public String log() throws IOException {
    return Files.readString(log);
  }

  /** Where its socket and pins are. */
  public RunDirectory runDirectory() {
    return run;
  }

  @Override
  public void awaitReady(Duration patience) throws IOException {
    long giveUp = System.nanoTime() + patience.toNanos();
    while (!answers()) {
      if (!process.isAlive() || System.nanoTime() > giveUp) {
        throw new IOException("gatun did not become ready:\n" + Files.readString(log));
      }
      sleep(20);
    }
  }

  /** Whether it is this process that answers, and not the one that it replaces. */
  private boolean answers() {
    if (!AdminClient.answers(run.socket())) {
      return false;
    }
    try {
      long pid = pid();
      return pid == process.pid()
          || process.descendants().anyMatch(descendant -> descendant.pid() == pid);
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public long pid() throws IOException {
    return AdminClient.ask(run.socket(), "status").path("pid").asLong();
  }

  @Override
  public NodeDataplane.Frames frames() throws IOException {
    JsonNode status = AdminClient.ask(run.socket(), "status");
    return new NodeDataplane.Frames(
        status.path("framesIn").asLong(),
        status.path("framesOut").asLong(),
        status.path("dropped").asLong());
  }

  @Override
  public String drops() throws IOException {
    StringBuilder text = new StringBuilder();
    for (JsonNode row : AdminClient.ask(run.socket(), "drops")) {
      text.append(row.path("reason").asText())
          .append("  ")
          .append(row.path("packets").asLong())
          .append('\n');
    }
    return text.toString();
  }

  @Override
  public void stop() throws IOException {
    if (stopped) {
      return;
    }
    stopped = true;
    try {
      AdminClient.ask(run.socket(), "stop");
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        throw new IOException("gatun did not stop within 10 s:\n" + Files.readString(log));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      process.destroyForcibly();
    }
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
