package io.gatun.agent.demo;

import io.gatun.agent.GatunProcess;
import io.gatun.lab.Node;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Gatun on a node of a lab, by a configuration that a test says. */
final class Configured {
  private static final Duration READY = Duration.ofSeconds(60);

  private Configured() {}

  /** Returns when it is ready; {@code manifests} is a folder, made where it is not there. */
  static GatunProcess start(Node node, String configuration, Path manifests) throws IOException {
    Files.createDirectories(node.runDirectory());
    Files.createDirectories(manifests);
    Path config = Files.writeString(node.runDirectory().resolve("gatun.yaml"), configuration);
    GatunProcess gatun = GatunProcess.start(node, config, manifests);
    gatun.awaitReady(READY);
    return gatun;
  }
}
