package io.gatun.lab.demo;

import io.gatun.lab.Node;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** Something that forwards and translates on a node; called from one thread. */
@FunctionalInterface
public interface NodeDataplane {

  /**
   * Starts it inside the node's namespace, without waiting; its files belong into {@link
   * Node#runDirectory()}.
   *
   * @param config a GatunConfiguration
   * @param manifests a folder of Services and EndpointSlices
   */
  Running start(Node node, Path config, Path manifests) throws IOException;

  /** One that was started. */
  interface Running {
    /** Waits until it forwards; an exception says why it does not. */
    void awaitReady(Duration patience) throws IOException;

    /** Of its processes the one that forwards. */
    long pid() throws IOException;

    /** What it has counted so far. */
    Frames frames() throws IOException;

    /** Its drop counters as text, a reason a line; empty when nothing was dropped. */
    String drops() throws IOException;

    /** Ends it and has everything undone; a second call does nothing. */
    void stop() throws IOException;
  }

  /** Frames since the start; those sent include our own answers. */
  record Frames(long in, long out, long dropped) {
    /** Whether every frame that came in is accounted for; while traffic flows, some are between. */
    public boolean conserved() {
      return in == out + dropped;
    }
  }
}
