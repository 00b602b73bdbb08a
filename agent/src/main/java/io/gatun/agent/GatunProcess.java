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

  /** Starts it in {@code node}'s namespace, through the launcher when there is one. */
  public static GatunProcess start(Node node, Path config, Path manifests) throws IOException {
    List<String> words = new ArrayList<>(command());
    words.addAll(
        List.of("run", "--config", config.toString(), "--manifests", manifests.toString()));
    Files.createDirectories(node.runDirectory());
    Path log = node.runDirectory().resolve("gatun.log");
    ProcessBuilder builder = new ProcessBuilder(node.enter(words));
    builder.environment().put("GATUN_RUN_DIR", node.runDirectory().toString());
    builder.redirectErrorStream(true).redirectOutput(log.toFile());
    return new GatunProcess(builder.start(), log, new RunDirectory(node.runDirectory()));
  }

  /** The launcher; from a test, which has none, this JVM's own class path. */
  private static List<String> command() {
    String launcher = System.getProperty("gatun.launcher");
    if (launcher != null) {
      return List.of(launcher);
    }
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED",
        "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
        "-XX:+UseZGC",
        "-Xmx512m",
        "-cp",
        System.getProperty("java.class.path"),
        Main.class.getName());
  }

  /** The launcher's or, without it, the daemon's own process. */
  public Process process() {
    return process;
  }

  /** Where its socket and pins are. */
  public RunDirectory runDirectory() {
    return run;
  }

  @Override
  public void awaitReady(Duration patience) throws IOException {
    long giveUp = System.nanoTime() + patience.toNanos();
    while (!AdminClient.answers(run.socket())) {
      if (!process.isAlive() || System.nanoTime() > giveUp) {
        throw new IOException("gatun did not become ready:\n" + Files.readString(log));
      }
      sleep(20);
    }
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
