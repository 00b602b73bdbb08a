package io.gatun.ring.xdp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.unix.UnixListener;
import io.gatun.ffm.unix.UnixStream;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;
import java.io.IOException;
import java.nio.CharBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real sockets on real veths: what the peers' kernels say is what counts. */
@Timeout(60)
class XdpSocketIT {
  private static final int FRAMES = 2048;

  @BeforeEach
  void needsRoot() {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")), "skipped: AF_XDP and namespaces need root");
  }

  @Test
  void shouldCarryDatagramsBetweenTwoDevicesOnOneMemory() throws Exception {
    try (OwnNamespace wire = new OwnNamespace("udp");
        Umem umem = Umem.create(FRAMES)) {
      wire.inTheMiddle(() -> {
        Process echo = OwnNamespace.start(wire.in("b", "socat", "UDP-LISTEN:5001", "PIPE"));
        try (Forwarder forwarder = new Forwarder(umem)) {
          String script =
              """
              sleep 0.2
              seq 50 | while read n; do echo $n; sleep 0.01; done |
                socat -t 0.5 - UDP:10.9.0.2:5001
              """;
          String said = forwarder.during(wire.in("a", "sh", "-c", script));
          assertEquals(
              IntStream.rangeClosed(1, 50).boxed().toList(),
              said.lines().map(Integer::valueOf).toList());
          assertEquals(0, forwarder.a.statistics().dropped(), forwarder.a.statistics()::toString);
          assertEquals(0, forwarder.b.statistics().txInvalid());
          forwarder.assertEveryFrameIsSomewhere();
        } finally {
          echo.destroyForcibly();
        }
        return null;
      });
      assertEquals(FRAMES, umem.depot().available());
    }
  }

  @Test
  void shouldPassPartialChecksumsOnAsMetadata(@TempDir Path directory) throws Exception {
    Path sent = directory.resolve("sent");
    Path received = directory.resolve("received");
    byte[] bytes = new byte[20_000_000];
    new Random(1).nextBytes(bytes);
    Files.write(sent, bytes);
    try (OwnNamespace wire = new OwnNamespace("tcp");
        Umem umem = Umem.create(FRAMES)) {
      wire.inTheMiddle(() -> {
        Process server =
            OwnNamespace.start(
                wire.in("b", "socat", "-u", "TCP-LISTEN:5000", "CREATE:" + received));
        try (Forwarder forwarder = new Forwarder(umem)) {
          forwarder.during(
              wire.in(
                  "a", "socat", "-u", "OPEN:" + sent, "TCP:10.9.0.2:5000,retry=50,interval=0.1"));
          forwarder.until(server);
          forwarder.assertEveryFrameIsSomewhere();
        } finally {
          server.destroyForcibly();
        }
        return null;
      });
    }
    assertEquals(-1, Files.mismatch(sent, received));
  }

  @Test
  void shouldGoOnInAnotherMappingWithoutLosingAFrame(@TempDir Path directory) throws Exception {
    int pings = 300;
    try (OwnNamespace wire = new OwnNamespace("heir")) {
      wire.inTheMiddle(() -> {
        try (Forwarder forwarder = new Forwarder(Umem.createShared(FRAMES))) {
          Process ping =
              OwnNamespace.start(
                  wire.in("a", "ping", "-q", "-i", "0.002", "-c", "" + pings, "10.9.0.2"));
          long start = System.nanoTime();
          for (int i = 0; i < 5; i++) {
            while (System.nanoTime() - start < (i + 1) * 100_000_000L) {
              forwarder.step();
            }
            forwarder.succeed(directory.resolve("heir.sock"));
          }
          forwarder.until(ping);
          String said = new String(ping.getInputStream().readAllBytes(), UTF_8);
          assertTrue(said.contains(pings + " received"), said);
          forwarder.assertEveryFrameIsSomewhere();
        }
        return null;
      });
    }
  }

  @Test
  void shouldOpenAgainAfterCloseAndShareWithWhoeverLives() throws Exception {
    try (OwnNamespace wire = new OwnNamespace("again");
        Umem umem = Umem.create(FRAMES)) {
      wire.inTheMiddle(() -> {
        int ma = Libc.ifNameToIndex("to-a");
        int mb = Libc.ifNameToIndex("to-b");
        XdpSocket first = XdpSocket.open(umem, ma, 0, XdpMode.COPY, 256, 256);
        XdpSocket second = XdpSocket.open(umem, mb, 0, XdpMode.COPY, 256, 256);
        try (FramePool pool = new FramePool(umem.depot())) {
          assertEquals(256, first.fill().fill(pool, 1000));
          assertEquals(256, first.outstanding());
        }
        first.close(); // the one that had registered the memory
        assertEquals(FRAMES, umem.depot().available());
        first = XdpSocket.open(umem, ma, 0, XdpMode.COPY, 64, 64);
        second.close();
        first.close();
        assertEquals(0, umem.sockets());
        XdpSocket.open(umem, ma, 0, XdpMode.COPY, 64, 64).close(); // nobody to share with
        return null;
      });
    }
  }

  @Test
  void shouldShareWithTheLivingWhenAPartnersDeviceIsGone() throws Exception {
    try (OwnNamespace wire = new OwnNamespace("gone");
        Umem umem = Umem.create(FRAMES)) {
      wire.inTheMiddle(() -> {
        XdpSocket a = XdpSocket.open(umem, Libc.ifNameToIndex("to-a"), 0, XdpMode.COPY, 64, 64);
        int mb = Libc.ifNameToIndex("to-b");
        OwnNamespace.start(wire.in("a", "ip", "link", "del", "eth0")).waitFor();
        XdpSocket b = XdpSocket.open(umem, mb, 0, XdpMode.COPY, 64, 64);
        try (FramePool pool = new FramePool(umem.depot())) {
          b.fill().fill(pool, 64);
          assertTrue(a.tx().put(pool.take() + 256, 64));
          a.tx().submit();
          assertTrue(a.wakeTx() < 0, "a socket without its device must say so");
        }
        b.close();
        a.close();
        assertEquals(FRAMES, umem.depot().available());
        return null;
      });
    }
  }

  @Test
  void shouldSayWhatToDoWhenAQueueIsTakenOrNotThere() throws Exception {
    try (OwnNamespace wire = new OwnNamespace("refuse");
        Umem umem = Umem.create(FRAMES);
        Umem other = Umem.create(64)) {
      wire.inTheMiddle(() -> {
        int ma = Libc.ifNameToIndex("to-a");
        try (XdpSocket holder = XdpSocket.open(umem, ma, 0, XdpMode.COPY, 64, 64)) {
          assertEquals(XdpMode.COPY, holder.mode());
          var taken =
              assertThrows(
                  NativeException.class, () -> XdpSocket.open(other, ma, 0, XdpMode.COPY, 64, 64));
          assertEquals(Errno.EBUSY, taken.errno());
        }
        var absent =
            assertThrows(
                NativeException.class, () -> XdpSocket.open(umem, ma, 7, XdpMode.COPY, 64, 64));
        assertEquals(Errno.EINVAL, absent.errno());
        var copyOnly =
            assertThrows(
                NativeException.class,
                () -> XdpSocket.open(umem, ma, 0, XdpMode.ZERO_COPY, 64, 64));
        assertEquals(Errno.EOPNOTSUPP, copyOnly.errno());
        assertEquals(0, umem.sockets());
        return null;
      });
    }
  }

  @Test
  void shouldRefuseAPacketTooCloseToTheStartOfItsFrame() throws Exception {
    try (OwnNamespace wire = new OwnNamespace("close");
        Umem umem = Umem.create(64)) {
      wire.inTheMiddle(() -> {
        int ma = Libc.ifNameToIndex("to-a");
        try (XdpSocket socket = XdpSocket.open(umem, ma, 0, XdpMode.COPY, 64, 64);
            FramePool pool = new FramePool(umem.depot())) {
          assertTrue(socket.tx().put(pool.take() + Umem.TX_METADATA - 1, 64));
          assertTrue(socket.tx().put(pool.take() + Umem.TX_METADATA, 64));
          socket.tx().submit();
          assertEquals(0, socket.wakeTx());
          assertEquals(1, socket.statistics().txInvalid());
          assertEquals(2, socket.outstanding());
        }
        return null;
      });
      assertEquals(64, umem.depot().available());
    }
  }

  /** Two sockets, one worker: what comes in at one goes out at the other, by its address. */
  private static final class Forwarder implements AutoCloseable {
    private final long[] addresses = new long[64];
    private final int[] lengths = new int[64];
    private Umem umem;
    private FramePool pool;
    private XdpSocket a;
    private XdpSocket b;
    private final RedirectAll intoA;
    private final RedirectAll intoB;

    Forwarder(Umem umem) {
      this.umem = umem;
      pool = new FramePool(umem.depot());
      int ma = Libc.ifNameToIndex("to-a");
      int mb = Libc.ifNameToIndex("to-b");
      a = XdpSocket.open(umem, ma, 0, XdpMode.COPY, 256, 256);
      b = XdpSocket.open(umem, mb, 0, XdpMode.COPY, 256, 256);
      a.fill().fill(pool, 256); // before the program: what comes without a frame posted is lost
      b.fill().fill(pool, 256);
      intoA = new RedirectAll(ma, a);
      intoB = new RedirectAll(mb, b);
    }

    /** As another process would: by its own descriptors and its own mapping of the memory. */
    void succeed(Path path) throws IOException {
      CharBuffer custodies;
      int[] theirs;
      XdpSocket.Inherited toA;
      XdpSocket.Inherited toB;
      Umem adopted;
      try (UnixListener listener = UnixListener.at(path);
          UnixStream in = UnixStream.connect(path);
          UnixStream out = listener.accept()) {
        out.writeDescriptors(new int[] {umem.descriptor(), a.fd(), b.fd()});
        theirs = in.readDescriptors(3);
      }
      adopted = Umem.adopt(theirs[0], FRAMES);
      toA = XdpSocket.inherit(adopted, theirs[1], XdpMode.COPY, 256, 256, a.custody());
      toB = XdpSocket.inherit(adopted, theirs[2], XdpMode.COPY, 256, 256, b.custody());
      for (int i = 0; i < 1000; i++) {
        step(); // the rings have been mapped meanwhile
      }
      custodies = umem.custodies();
      a.close();
      b.close();
      pool.close();
      umem.close();
      umem = adopted;
      umem.restore(custodies);
      pool = new FramePool(umem.depot());
      a = toA.resume();
      b = toB.resume();
    }

    /** Forwards while {@code command} runs; returns its output. */
    String during(String... command) throws IOException {
      Process process = OwnNamespace.start(command);
      until(process);
      return new String(process.getInputStream().readAllBytes(), UTF_8);
    }

    void until(Process process) {
      while (process.isAlive()) {
        if (step() == 0) {
          Thread.onSpinWait();
        }
      }
      for (int i = 0; i < 100; i++) {
        step();
      }
    }

    private int step() {
      a.fill().fill(pool, 256);
      b.fill().fill(pool, 256);
      int moved = move(a, b) + move(b, a);
      a.reclaim(pool);
      b.reclaim(pool);
      return moved;
    }

    private int move(XdpSocket from, XdpSocket to) {
      RxRing rx = from.rx();
      TxRing tx = to.tx();
      int n = rx.peek(tx.room(64));
      for (int i = 0; i < n; i++) {
        addresses[i] = rx.address(i);
        lengths[i] = rx.length(i);
      }
      rx.release(n); // first they become ours …
      for (int i = 0; i < n; i++) { // … then the other socket's
        // The peers' kernels leave only the pseudo-header's sum (IPv4 without options here).
        long ethernet = addresses[i];
        int protocol =
            Memory.getShortBe(ethernet + 12) == 0x0800 ? Memory.getByte(ethernet + 23) : 0;
        assertTrue(
            switch (protocol) {
              case 6 -> tx.putPartial(ethernet, lengths[i], 34, 16);
              case 17 -> tx.putPartial(ethernet, lengths[i], 34, 6);
              default -> tx.put(ethernet, lengths[i]);
            });
      }
      tx.submit();
      assertEquals(0, to.wakeTx());
      return n;
    }

    void assertEveryFrameIsSomewhere() {
      FrameDepot depot = umem.depot();
      assertEquals(
          FRAMES, depot.available() + pool.available() + a.outstanding() + b.outstanding());
    }

    @Override
    public void close() {
      intoA.close();
      intoB.close();
      a.close();
      b.close();
      pool.close();
    }
  }
}
