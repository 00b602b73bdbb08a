package io.gatun.port.xdp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Libc;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import io.gatun.port.Netns;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.ring.xdp.Umem;
import io.gatun.worker.Fault;
import io.gatun.worker.Idling;
import io.gatun.worker.Watchdog;
import io.gatun.worker.Worker;
import io.gatun.worker.WorkerCounters;
import io.gatun.worker.WorkerThread;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class XdpPortIT {
  private static final long FAR = 3_600_000_000_000L;

  @TempDir Path run;
  private Namespaces net;
  private Pins pins;
  private Lease lease;
  private OwnTraffic own;
  private String before;

  @BeforeEach
  void up() {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")), "skipped: namespaces need root");
    net = new Namespaces();
    before = links();
    pins = Pins.mount(run.resolve("bpf"));
    lease = Lease.open(pins);
    own = OwnTraffic.open(pins);
  }

  @AfterEach
  void down() {
    if (net == null) {
      return;
    }
    lease.close();
    own.close();
    pins.remove();
    net.close();
    assertFalse(Files.exists(run.resolve("bpf")));
  }

  /**
   * What we change on interfaces: programs attached, and the offloads that veth gives up for it.
   */
  private String links() {
    return Netns.run("ip -n " + net.g + " link show")
            .lines()
            .filter(line -> line.contains("xdp"))
            .toList()
        + Netns.run("ip netns exec " + net.a + " ethtool -k eth0")
        + Netns.run("ip netns exec " + net.b + " ethtool -k eth0");
  }

  /** One process' worth of Gatun: two ports, crossed. */
  private final class Forwarder implements AutoCloseable {
    final Umem umem = Umem.create(8192);
    final FramePool pool = new FramePool(umem.depot());
    final Worker worker =
        new Worker(
            net.prefix,
            pool,
            new Qsbr(1).register(),
            List.of(new ParseStage(false, true, true), Forwarder::cross));
    final XdpPort a;
    final XdpPort b;
    final WorkerThread thread;

    Forwarder() throws Exception {
      a = open(1, "ga", Namespaces.MAC_A);
      b = open(2, "gb", Namespaces.MAC_B);
      worker.add(a);
      worker.add(b);
      thread = WorkerThread.start(worker, Idling.ADAPTIVE, WorkerThread.ANY_CPU);
    }

    private XdpPort open(int number, String name, byte[] mac) throws Exception {
      XdpInterface wanted = new XdpInterface(number, name, Namespaces.bits(mac), XdpRole.POD);
      Stubs stubs = new Stubs(pins, lease, own);
      return Netns.inside(net.g, () -> stubs.attach(wanted).open(umem, pool));
    }

    private static void cross(PacketVector v) {
      for (int i = 0; i < v.size; i++) {
        if (v.verdict[i] == Verdict.CONTINUE) {
          v.verdict[i] = Verdict.SEND;
          v.outPort[i] = 3 - v.inPort[i];
        }
      }
    }

    void stop() {
      try {
        assertTrue(thread.stop(2_000));
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    void detach() {
      a.detach();
      b.detach();
    }

    @Override
    public void close() {
      stop();
      a.release();
      b.release();
      worker.close();
      assertEquals(8192, umem.depot().available(), "frames lost");
      umem.close();
    }
  }

  @Test
  void shouldForwardPingAndTcpWithChecksumOffloadOn() throws Exception {
    lease.renew(Libc.monotonicNanos() + FAR);
    try (Forwarder gatun = new Forwarder()) {
      assertTrue(net.ping(50));
      Process server =
          new ProcessBuilder("ip", "netns", "exec", net.b, "iperf3", "-s", "-1")
              .redirectErrorStream(true)
              .start();
      Thread.sleep(300);
      String client = Netns.run("ip netns exec " + net.a + " iperf3 -c 10.77.0.2 -t 2 -f m");
      server.destroy();
      System.out.println(client.lines().filter(l -> l.contains("receiver")).toList());
      WorkerCounters c = gatun.worker.counters();
      assertTrue(c.rxFrames(1) > 1_000, "through the sockets: " + c.rxFrames(1));
      gatun.stop();
      assertEquals(c.received(), c.transmitted() + c.dropped());
      System.out.println("rx " + c.received() + " dropped " + c.dropped());
      for (String ns : new String[] {net.a, net.b}) {
        String errors = Netns.run("ip netns exec " + ns + " nstat -asz TcpInCsumErrors");
        assertTrue(errors.matches("(?s).*TcpInCsumErrors +0 .*"), errors);
      }
      gatun.detach();
    }
    assertEquals(before, links());
  }

  @Test
  void shouldHoldThenLetTheKernelForwardThenBeTakenOver() throws Exception {
    lease.renew(Libc.monotonicNanos() + FAR);
    try (Forwarder first = new Forwarder()) {
      assertTrue(net.ping(5));
      assertFalse(first.a.takenOver());
    }
    assertFalse(net.ping(2), "held: lease good, no socket");
    try (Forwarder second = new Forwarder()) {
      assertTrue(second.a.takenOver());
      assertTrue(net.ping(20), "taken over");
      lease.expire();
      long frames = second.worker.counters().received();
      assertTrue(net.ping(20), "lease out: the kernel's bridge forwards, sockets or not");
      assertEquals(frames, second.worker.counters().received());
      second.stop();
      second.detach();
    }
    assertTrue(net.ping(5));
    assertEquals(List.of(), pins.interfaces());
    assertEquals(before, links());
  }

  @Test
  void shouldGoToTheKernelWhenAWorkerIsStuck() throws Exception {
    try (Forwarder gatun = new Forwarder()) {
      Watchdog dog =
          new Watchdog(
              lease::renew, 300_000_000L, List.of(gatun.worker.counters()), System::nanoTime);
      dog.start();
      Thread.sleep(100);
      assertTrue(net.ping(20));
      long frames = gatun.worker.counters().received();
      assertTrue(frames >= 40, "through the worker");
      gatun.worker.inject(Fault.STUCK);
      Thread.sleep(400);
      assertTrue(net.ping(20), "the kernel forwards");
      assertEquals(frames, gatun.worker.counters().received());
      gatun.worker.inject(Fault.NONE);
      Thread.sleep(150);
      assertTrue(net.ping(20));
      assertTrue(gatun.worker.counters().received() >= frames + 20, "ours again");
      dog.close();
      gatun.stop();
      gatun.detach();
    }
  }
}
