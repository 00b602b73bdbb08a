package io.gatun.agent.daemon;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.fib.Questions;
import io.gatun.flow.FlowFile;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.FragmentTable;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.ParseStage;
import io.gatun.port.memory.MemoryPort;
import io.gatun.port.memory.Recording;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.DataPath;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import io.gatun.worker.Worker;
import io.gatun.worker.WorkerCounters;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Sends packets in memory through the workers' stages, with tables of its own, until they are
 * compiled. A JVM that has just started takes a hundred times as long for a packet, and a successor
 * should not begin with that while its predecessor could still forward.
 */
final class WarmUp {
  private static final System.Logger LOG = System.getLogger("gatun");

  /** Whatever the compilers still have to do: a machine without a free core. */
  private static final long LONGEST = TimeUnit.SECONDS.toNanos(10);

  /** It is the compilers that take the time: packets a quarter of it keep them busy. */
  private static final long BURST = TimeUnit.MILLISECONDS.toNanos(1);

  private static final long PAUSE = 3 * BURST;

  private static final int RESTARTS = 30;

  private static final int FLOWS = 200;
  private static final int FRAMES = 2048;
  private static final int FRAME = 64;
  private static final InetAddress SERVICE = InetAddress.ofLiteral("10.96.0.10");
  private static final InetAddress ENDPOINT = InetAddress.ofLiteral("10.244.0.1");
  private static final int SERVICE4 = 0x0A60_000A;
  private static final int ENDPOINT4 = 0x0AF4_0001;
  private static final int CLIENT4 = 0x0A80_0001;
  private static final int PORT = 80;
  private static final int TARGET = 8080;
  private static final int FIRST_CLIENT_PORT = 33_000;

  /** A handshake, and what follows it. */
  private static final int[] SAID = {Tcp.SYN, Tcp.SYN | Tcp.ACK, Tcp.ACK, Tcp.ACK, Tcp.ACK};

  private static final String DIRECTORY = "warm-up-";

  private WarmUp() {}

  /**
   * Returns when the compilers have caught up, after two seconds with a core to themselves.
   *
   * @param state where flows are kept, for rehearsing how they are found
   * @param enough ends it early
   */
  static void run(Path state, BooleanSupplier enough) {
    Path directory = state.resolve(DIRECTORY + ProcessHandle.current().pid());
    Compilers compilers = new Compilers();
    long end = System.nanoTime() + LONGEST;
    removeOfTheDead(state);
    try {
      forward(
          directory,
          () -> enough.getAsBoolean() || compilers.areIdle() || System.nanoTime() - end > 0);
      for (int i = 0; i < RESTARTS && !enough.getAsBoolean(); i++) {
        forward(directory, () -> true);
      }
      try (FlowFile file = FlowFile.open(directory, 2 * FLOWS)) {
        file.remove();
      }
      Files.deleteIfExists(directory);
    } catch (IOException | NativeException e) {
      LOG.log(Level.WARNING, "not warm: {0}", e.getMessage()); // slow for a moment, then
    }
  }

  /** What processes left that were killed while they warmed up; what cannot be removed stays. */
  private static void removeOfTheDead(Path state) {
    try (DirectoryStream<Path> left = Files.newDirectoryStream(state, DIRECTORY + "*")) {
      for (Path directory : left) {
        String pid = directory.getFileName().toString().substring(DIRECTORY.length());
        if (!pid.matches("[0-9]{1,9}") || ProcessHandle.of(Long.parseLong(pid)).isEmpty()) {
          removeWithFiles(directory);
        }
      }
    } catch (IOException e) {
      LOG.log(Level.INFO, "{0}: {1}", state, e.getMessage());
    }
  }

  private static void removeWithFiles(Path directory) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }

  /** Finds the flows of the last time, and forwards until it is {@code enough}. */
  private static void forward(Path directory, BooleanSupplier enough) throws IOException {
    int wake = Libc.eventfd(Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
    Qsbr qsbr = new Qsbr(1);
    try (FlowFile file = FlowFile.open(directory, 2 * FLOWS);
        NativeArea chunks = NativeArea.map("warm up", (long) FRAMES * FrameDepot.CHUNK);
        FlowTable flows = new FlowTable(2 * FLOWS, FlowTimeouts.defaults(), qsbr, file);
        ServiceTable services = new ServiceTable(flows, qsbr);
        FragmentTable fragments = new FragmentTable();
        Fib fib = new Fib(2, Runnable::run);
        Questions questions = new Questions("warm up", wake)) {
      services.apply(List.of(front()), List.of());
      flows.inherit();
      services.adoptFlows();
      int way =
          fib.adjacencies().add(new Adjacency.Forward(1, 0x02_AAL << 32, 0x02_BBL << 32, 1500));
      fib.put(InetAddress.ofLiteral("0.0.0.0"), 0, way);
      FramePool pool = new FramePool(new FrameDepot(chunks.address(), FrameDepot.CHUNK, FRAMES));
      Worker worker =
          new Worker(
              "warm up",
              pool,
              qsbr.register(),
              new DataPath(
                      new DataPath.Tables(fib, flows, fragments, services, new SourceAddresses()),
                      ParseStage.sharing(new boolean[WorkerCounters.PORTS]),
                      new Answers(),
                      DataPath.Overlay.NONE,
                      null,
                      pool,
                      questions,
                      Libc::monotonicNanos)
                  .stages());
      worker.add(MemoryPort.replaying(0, "in", pool, recording()));
      worker.add(MemoryPort.swallowing(1, "out", pool));
      worker.onStart();
      long resumed = System.nanoTime();
      do {
        worker.doWork();
        if (System.nanoTime() - resumed > BURST) {
          LockSupport.parkNanos(PAUSE);
          resumed = System.nanoTime();
        }
      } while (!enough.getAsBoolean());
      worker.onClose();
      worker.close();
    } finally {
      Libc.close(wake);
    }
  }

  private static FrontSpec front() {
    return new FrontSpec(
        "gatun/warm-up",
        FrontKind.CLUSTER_IP,
        SERVICE,
        IpProtocol.TCP,
        PORT,
        List.of(new InetSocketAddress(ENDPOINT, TARGET)),
        false,
        false);
  }

  private static Recording recording() {
    Recording recording = new Recording(FLOWS * SAID.length, FRAME);
    int at = 0;
    for (int flags : SAID) {
      for (int flow = 0; flow < FLOWS; flow++) {
        int client = FIRST_CLIENT_PORT + flow;
        boolean reply = flags == (Tcp.SYN | Tcp.ACK) || at % 2 == 0 && flags == Tcp.ACK;
        long frame = recording.frame(at++, FRAME);
        if (reply) {
          write(frame, ENDPOINT4, CLIENT4, TARGET << 16 | client, flags);
        } else {
          write(frame, CLIENT4, SERVICE4, client << 16 | PORT, flags);
        }
      }
    }
    return recording;
  }

  private static void write(long frame, int source, int destination, int ports, int flags) {
    Memory.zero(frame, FRAME);
    Ethernet.destination(frame, 0x02_00_00_00_00_01L);
    Ethernet.source(frame, 0x02_00_00_00_00_02L);
    Ethernet.type(frame, Ethernet.IPV4);
    long l3 = frame + Ethernet.HEADER;
    int bytes = FRAME - Ethernet.HEADER - Ipv4.HEADER;
    Ipv4.write(l3, FRAME - Ethernet.HEADER, 0, 64, IpProtocol.TCP, source, destination);
    long l4 = l3 + Ipv4.HEADER;
    Tcp.write(l4, ports >>> 16, ports & 0xFFFF, 1, 1, flags);
    Memory.putShortBe(l4 + Tcp.CHECKSUM, Checksum.pseudoHeaderV4(l3, IpProtocol.TCP, bytes));
    Checksum.complete(l4, bytes, Tcp.CHECKSUM);
  }
}
