package io.gatun.perf;

import io.gatun.ffm.Libc;
import io.gatun.lab.Batch;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;

/**
 * Three namespaces in a row, a source of frames, a node that forwards them and a sink that counts
 * them, tied by two veth pairs.
 *
 * <pre>
 *   source                     node                              sink
 *   10.1.0.2  src0 ────── in0  10.1.0.1   10.2.0.1  out0 ────── sink0  10.2.0.2
 * </pre>
 *
 * <p>Frames to the sink carry the MAC address of somebody else, so that its stack drops them at
 * once. The source sits on CPU 0, with the soft interrupt of {@code in0}; what forwards has CPU 1.
 * Driven by one thread.
 */
final class VethPath implements AutoCloseable {
  static final int SOURCE = 0x0A010002;
  static final int SINK = 0x0A020002;
  static final String SINK_ADDRESS = "10.2.0.2";
  static final String IN = "in0";
  static final String OUT = "out0";
  static final long IN_MAC = 0x02_00_0A_01_00_01L;
  static final long OUT_MAC = 0x02_00_0A_02_00_01L;

  /** Not the sink's own. */
  static final long NEXT_MAC = 0x02_00_0A_02_00_99L;

  static final int SOURCE_CPU = 0;
  static final int FORWARDER_CPU = 1;

  /** Frames in one call to the kernel: some twenty milliseconds, after which it may stop. */
  private static final int ROUND = 1 << 16;

  /** Fewer frames a second are sent one by one. */
  private static final int SINGLY = 10_000;

  private static final long SECOND = 1_000_000_000;
  private static final long LOOK_NANOS = 1_000_000;

  /** Frames at once where an even pace counts. */
  private static final int EVEN_BATCH = 32;

  private static final double UNDER_WAY_SECONDS = 0.1;

  /** Until everything on the way is warm: caches, flows, clock speeds. */
  private static final double SETTLE_SECONDS = 0.3;

  private final Lab lab;
  private final CpuMeter meter;
  private final NamespaceThread inSource;
  private final NamespaceThread inSink;

  private VethPath(Lab lab, CpuMeter meter) throws IOException {
    this.lab = lab;
    this.meter = meter;
    inSource = new NamespaceThread(lab.node("source"));
    inSink = new NamespaceThread(lab.node("sink"));
  }

  static VethPath up(String name, CpuMeter meter) throws IOException {
    Lab lab = Lab.up(Lab.runDirectory(), name, "source", "node", "sink");
    try {
      build(lab);
      return new VethPath(lab, meter);
    } catch (IOException | RuntimeException e) {
      lab.down();
      throw e;
    }
  }

  private static void build(Lab lab) throws IOException {
    Node source = lab.node("source");
    Node node = lab.node("node");
    Node sink = lab.node("sink");
    Batch batch = new Batch();
    for (Node each : lab.nodes()) {
      batch.sysctl(each, "net.ipv6.conf.all.disable_ipv6=1");
      batch.sysctl(each, "net.ipv6.conf.default.disable_ipv6=1");
      batch.sysctl(each, "net.ipv4.conf.all.rp_filter=0");
    }
    batch.ip(node, veth(IN, IN_MAC, "src0", source));
    batch.ip(node, veth(OUT, OUT_MAC, "sink0", sink));
    batch.ip(node, "address add 10.1.0.1/24 dev " + IN);
    batch.ip(node, "address add 10.2.0.1/24 dev " + OUT);
    batch.ip(node, "link set " + IN + " up");
    batch.ip(node, "link set " + OUT + " up");
    batch.ip(
        node,
        "neigh replace "
            + SINK_ADDRESS
            + " lladdr "
            + text(NEXT_MAC)
            + " dev "
            + OUT
            + " nud permanent");
    batch.ip(source, "address add 10.1.0.2/24 dev src0");
    batch.ip(source, "link set src0 up");
    batch.ip(sink, "address add " + SINK_ADDRESS + "/24 dev sink0");
    batch.ip(sink, "link set sink0 up");
    batch.run();
    // Without GRO and without an XDP program a veth takes no live frames; UDP is not merged.
    node.exec("ethtool", "-K", IN, "gro", "on").orThrow();
  }

  private static String veth(String name, long mac, String peer, Node peerNode) {
    return "link add %s address %s numrxqueues 1 numtxqueues 1 type veth peer name %s numrxqueues 1 numtxqueues 1 netns %s"
        .formatted(name, text(mac), peer, peerNode.namespace());
  }

  static String text(long mac) {
    StringBuilder text = new StringBuilder();
    for (int shift = 40; shift >= 0; shift -= 8) {
      text.append(text.isEmpty() ? "" : ":").append("%02x".formatted(mac >>> shift & 0xFF));
    }
    return text.toString();
  }

  Node node() {
    return lab.node("node");
  }

  /**
   * What arrived at the sink.
   *
   * @param cpuNanos processor time of all that took part, the source too
   */
  record Traffic(double seconds, long packets, long cpuNanos) {
    double millionsPerSecond() {
      return packets / seconds / 1e6;
    }

    double cpuNanosPerPacket() {
      return (double) cpuNanos / packets;
    }
  }

  /**
   * Sends {@code what}, and after a moment counts for {@code seconds} what arrives.
   *
   * @param perSecond frames a second; 0: as many as it can
   */
  Traffic run(FrameSource.Frames what, double seconds, int perSecond) throws IOException {
    try (Sending source = sending(what, perSecond)) {
      sleep(SETTLE_SECONDS);
      long from = System.nanoTime();
      long spent = meter.nanos();
      long before = received();
      sleep(seconds);
      long packets = received() - before;
      spent = meter.nanos() - spent;
      double passed = (System.nanoTime() - from) / 1e9;
      source.end();
      if (packets == 0) {
        throw new IllegalStateException("nothing arrived at the sink");
      }
      return new Traffic(passed, packets, spent);
    }
  }

  /**
   * How fast frames come.
   *
   * @param batch frames in one call to the kernel
   * @param step nanoseconds between two calls, 0 for none
   * @param even what the source was too late for is not sent: a burst that makes good for it would
   *     be lost by its own fault. Otherwise the intended time counts, and who is late catches up
   */
  private record Pace(int batch, long step, boolean even) {
    /** {@code perSecond} 0: as fast as it can. */
    static Pace of(int perSecond) {
      int batch = perSecond == 0 ? ROUND : perSecond < SINGLY ? 1 : SocketFrames.BATCH;
      return new Pace(batch, perSecond == 0 ? 0 : SECOND * batch / perSecond, false);
    }

    static Pace even(int perSecond) {
      return new Pace(EVEN_BATCH, SECOND * EVEN_BATCH / perSecond, true);
    }

    long after(long due) {
      return even ? Math.max(due + step, System.nanoTime() - step) : due + step;
    }
  }

  /** Frames that are sent until this is ended. */
  final class Sending implements AutoCloseable {
    private final Future<Long> sent;
    private volatile boolean wanted = true;

    private Sending(FrameSource.Frames what, Pace pace) {
      sent =
          inSource.start(() -> {
            Libc.pinToCpu(SOURCE_CPU);
            if (pace.even) {
              Path thread = Path.of("/proc", Integer.toString(Libc.gettid()));
              Files.writeString(thread.resolve("timerslack_ns"), "1");
            }
            try (FrameSource frames =
                pace.step == 0
                    ? new LiveFrames("src0", IN_MAC, SOURCE, what)
                    : new SocketFrames("src0", IN_MAC, SOURCE, what)) {
              return send(frames, pace);
            }
          });
    }

    private long send(FrameSource frames, Pace pace) {
      long count = 0;
      long due = System.nanoTime();
      while (wanted) {
        frames.send(pace.batch);
        count += pace.batch;
        due = pace.after(due);
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
          LockSupport.parkNanos(left);
        }
      }
      return count;
    }

    /** Ends it and says how many there were; an exception says why there was nothing to end. */
    long end() throws IOException {
      wanted = false;
      return NamespaceThread.await(sent);
    }

    /** The same for whoever does not mind why it ended. */
    @Override
    public void close() {
      try {
        end();
      } catch (IOException e) {
        System.getLogger("gatun.bench")
            .log(System.Logger.Level.INFO, "source: {0}", e.getMessage());
      }
    }
  }

  /**
   * Begins to send {@code what}.
   *
   * @param perSecond frames a second; 0: as many as it can
   */
  Sending sending(FrameSource.Frames what, int perSecond) {
    return new Sending(what, Pace.of(perSecond));
  }

  /**
   * What was sent while something was done, and did not arrive.
   *
   * @param seconds that it took
   */
  record Loss(double seconds, long sent, long lost) {
    /** As if nothing had been forwarded for so long: milliseconds. */
    double blockedMillis() {
      return sent == 0 ? 0 : lost * seconds * 1e3 / sent;
    }

    double perSecond() {
      return sent / seconds;
    }
  }

  /** Sends {@code what} at an even pace while {@code disturbance} lasts. */
  Loss loss(FrameSource.Frames what, int perSecond, Work disturbance) throws IOException {
    long before = received();
    long began = System.nanoTime();
    try (Sending source = new Sending(what, Pace.even(perSecond))) {
      disturbance.run();
      double seconds = (System.nanoTime() - began) / 1e9;
      long sent = source.end();
      sleep(UNDER_WAY_SECONDS);
      return new Loss(seconds, sent, Math.max(0, sent - (received() - before)));
    }
  }

  /** Looks every millisecond, for {@code seconds}, how many frames have arrived at the sink. */
  Future<Arrivals> arrivals(double seconds) {
    return inSink.start(() -> {
      Arrivals.Log log = new Arrivals.Log();
      long end = System.nanoTime() + (long) (seconds * 1e9);
      while (System.nanoTime() < end) {
        long count = received("sink0");
        log.add(System.nanoTime(), count);
        LockSupport.parkNanos(LOOK_NANOS);
      }
      return log.arrivals();
    });
  }

  static void sleep(double seconds) throws IOException {
    try {
      Thread.sleep((long) (seconds * 1000));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Frames that arrived at the sink so far. */
  private long received() throws IOException {
    return inSink.call(() -> received("sink0"));
  }

  /** Frames that {@code device} of the calling thread's network namespace received so far. */
  static long received(String device) throws IOException {
    return received(Files.readAllLines(Path.of("/proc/thread-self/net/dev")), device);
  }

  /** proc_net_dev: {@code DEVICE: BYTES PACKETS …}. */
  static long received(List<String> netDev, String device) throws IOException {
    for (String line : netDev) {
      String[] words = line.strip().split("[: ]+", -1);
      if (words[0].equals(device)) {
        return Long.parseLong(words[2]);
      }
    }
    throw new IOException("no " + device + " in /proc/net/dev: " + netDev);
  }

  @Override
  public void close() throws IOException {
    inSource.close();
    inSink.close();
    lab.down();
  }
}
