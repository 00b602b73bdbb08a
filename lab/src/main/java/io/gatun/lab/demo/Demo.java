package io.gatun.lab.demo;

import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import io.gatun.lab.Overlay;
import io.gatun.lab.Snapshot;
import io.gatun.lab.TwoNodes;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * The demonstration from beginning to end; for one thread.
 *
 * <pre>{@code
 * int exit = Demo.run(new Demo.Options(false, colour, Lab.runDirectory(), System.out), dataplane);
 * }</pre>
 */
public final class Demo {

  private static final Duration READY = Duration.ofSeconds(60);
  private static final int LOOKS = 50;
  private static final long LOOK_NANOS = 20_000_000;

  /** Held while namespaces are made: taking down half a lab would leave the other half. */
  private static final Object BUILDING = new Object();

  private final Options options;
  private final Report report;
  private final TwoNodes topology;
  private final Map<Node, NodeDataplane.Running> running = new HashMap<>();

  /**
   * How to run.
   *
   * @param keep leave everything up at the end and say how to enter
   * @param colour marks in colour: on a terminal, unless {@code NO_COLOR} is set
   * @param runDirectory see {@link Lab#runDirectory()}
   */
  public record Options(boolean keep, boolean colour, Path runDirectory, PrintStream out) {}

  private Demo(Options options, Report report, TwoNodes topology) {
    this.options = options;
    this.report = report;
    this.topology = topology;
  }

  /** Runs it; 0 when every check holds, else 1. What cannot even be set up is an exception. */
  public static int run(Options options, NodeDataplane dataplane) throws IOException {
    long start = System.nanoTime();
    String name = "demo-" + ProcessHandle.current().pid();
    var report = new Report(options.out(), options.colour());
    TwoNodes topology;
    Thread cleaner;
    synchronized (BUILDING) {
      cleaner = new Thread(() -> downQuietly(options.runDirectory(), name), "demo-cleaner");
      Runtime.getRuntime().addShutdownHook(cleaner);
      topology = TwoNodes.up(options.runDirectory(), name, Overlay.FLANNEL);
    }
    try {
      report.say("lab " + topology.lab() + " up in " + since(start));
      new Demo(options, report, topology).play(dataplane);
    } finally {
      if (options.keep()) {
        Runtime.getRuntime().removeShutdownHook(cleaner);
      } else {
        topology.close();
        removeHook(cleaner);
      }
    }
    report.say("took " + since(start));
    return report.conclude();
  }

  private void play(NodeDataplane dataplane) throws IOException {
    Servers.start(topology);
    Map<Node, Snapshot> before = new HashMap<>();
    for (Node node : topology.nodes()) {
      before.put(node, Snapshot.of(node));
    }
    try {
      startAll(dataplane);
      new Checks(topology).run(report);
      for (Node node : topology.nodes()) {
        report.check("frames counted on " + node.name(), () -> conserved(started(node)));
      }
      for (Node node : topology.nodes()) {
        String drops = started(node).drops().strip();
        report.say(
            "drops on "
                + node.name()
                + ": "
                + (drops.isEmpty() ? "none" : "\n" + drops.indent(2).stripTrailing()));
      }
    } catch (IOException | RuntimeException e) {
      try {
        stopAll();
      } catch (IOException | RuntimeException alsoThis) {
        e.addSuppressed(alsoThis); // what failed first is what the user has to know
      }
      throw e;
    }
    if (options.keep()) {
      sayHowToEnter();
      return;
    }
    stopAll();
    for (Node node : topology.nodes()) {
      report.check(node.name() + " after the stop", () -> asItWas(before, node));
    }
  }

  private void startAll(NodeDataplane dataplane) throws IOException {
    long start = System.nanoTime();
    Path manifests = Cluster.writeManifests(topology);
    for (Node node : topology.nodes()) {
      running.put(
          node, dataplane.start(node, Cluster.writeConfiguration(topology, node), manifests));
    }
    for (Node node : topology.nodes()) {
      started(node).awaitReady(READY);
    }
    report.say("dataplanes ready in " + since(start));
  }

  private void stopAll() throws IOException {
    for (NodeDataplane.Running dataplane : running.values()) {
      dataplane.stop();
    }
  }

  private NodeDataplane.Running started(Node node) {
    NodeDataplane.Running found = running.get(node);
    if (found == null) {
      throw new IllegalStateException("no dataplane on " + node.name());
    }
    return found;
  }

  /** Patient: the last segments of the stream may still be on their way. */
  private static Report.Seen conserved(NodeDataplane.Running dataplane) throws IOException {
    NodeDataplane.Frames frames = dataplane.frames();
    for (int look = 0; look < LOOKS && !frames.conserved(); look++) {
      LockSupport.parkNanos(LOOK_NANOS);
      frames = dataplane.frames();
    }
    return new Report.Seen(
        frames.conserved(),
        String.format(
            Locale.ROOT,
            "%,d in = %,d out + %,d dropped",
            frames.in(),
            frames.out(),
            frames.dropped()));
  }

  private static Report.Seen asItWas(Map<Node, Snapshot> before, Node node) throws IOException {
    Snapshot then = before.get(node);
    List<String> differences =
        then == null
            ? List.of()
            : then.differences(Snapshot.of(node), node.runDirectory().toString());
    return new Report.Seen(
        differences.isEmpty(),
        differences.isEmpty() ? "as it was" : String.join("; ", differences));
  }

  private void sayHowToEnter() {
    report.say("kept. Enter, for example:");
    String name = topology.lab().name();
    report.say(
        "  gatun lab exec --name " + name + " client-a -- curl -s http://" + Cluster.WEB + "/");
    report.say("  nsenter --net=" + topology.pod("client-a").node().path() + " bash");
    report.say("Remove: gatun lab down --name " + name);
  }

  private static void removeHook(Thread cleaner) {
    try {
      Runtime.getRuntime().removeShutdownHook(cleaner);
    } catch (IllegalStateException alreadyEnding) {
      // The hook is at work; it finds nothing left to do.
    }
  }

  /** On Ctrl-C. What is left of the run fails meanwhile, with nobody to hear it. */
  private static void downQuietly(Path runDirectory, String name) {
    synchronized (BUILDING) {
      try {
        for (Lab lab : Lab.list(runDirectory)) {
          if (lab.name().equals(name)) {
            lab.down();
          }
        }
      } catch (IOException | RuntimeException e) {
        System.err.println("gatun lab down --name " + name + " is still to do: " + e.getMessage());
      }
    }
  }

  private static String since(long start) {
    return String.format(Locale.ROOT, "%.1f s", (System.nanoTime() - start) / 1e9);
  }
}
