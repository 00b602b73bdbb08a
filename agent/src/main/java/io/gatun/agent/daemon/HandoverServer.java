package io.gatun.agent.daemon;

import io.gatun.agent.daemon.Handover.Claim;
import io.gatun.agent.daemon.Handover.Handed;
import io.gatun.agent.daemon.Handover.Offer;
import io.gatun.agent.daemon.Handover.OfferedPort;
import io.gatun.ffm.unix.UnixListener;
import io.gatun.ffm.unix.UnixStream;
import io.gatun.port.InterfacePort;
import io.gatun.port.xdp.XdpPort;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.CharBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Waits for a successor, on a thread of its own, and gives it what it claims: {@link Handover}. */
final class HandoverServer implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("gatun");

  /** From the offer to the claim: a start on the busiest machine. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final Duration ANSWER = Duration.ofSeconds(1);
  private static final Duration PAUSE = Duration.ofMillis(200);

  /**
   * What is left when the workers have stopped.
   *
   * @param stopped see {@link Handed#stopped}
   * @param until see {@link Handed#until}
   * @param custodies for which socket the kernel holds each frame
   */
  record Left(long stopped, long until, CharBuffer custodies) {}

  private final Dataplane dataplane;
  private final End end;
  private final UnixListener listener;
  private final Thread thread;

  /** How the daemon ends for a successor. */
  @FunctionalInterface
  interface End {
    /** Stops the workers, closes all ports but {@code kept}, and returns then. */
    Left leave(List<InterfacePort> kept) throws IOException;
  }

  /** Begins to wait at {@code socket}. */
  HandoverServer(Path socket, Dataplane dataplane, End end) throws IOException {
    this.dataplane = dataplane;
    this.end = end;
    listener = UnixListener.at(socket);
    thread = Thread.ofPlatform().name("heirs").daemon(true).start(this::serve);
  }

  private void serve() {
    while (!listener.isClosed()) {
      try (UnixStream successor = listener.accept()) {
        handOver(successor);
      } catch (IOException e) {
        if (!listener.isClosed()) {
          LOG.log(Level.INFO, "a successor did not come: {0}", e.getMessage());
          LockSupport.parkNanos(PAUSE.toNanos()); // out of descriptors: the next fails at once
        }
      }
    }
  }

  private void handOver(UnixStream successor) throws IOException {
    successor.patience(PATIENCE);
    List<InterfacePort> ports = dataplane.ports();
    Handover.write(
        successor,
        new Offer(
            Handover.VERSION,
            dataplane.frames(),
            ports.stream().map(HandoverServer::offered).toList()));
    int[] descriptors = new int[ports.size() + 1];
    descriptors[0] = dataplane.frameMemory();
    for (int i = 0; i < ports.size(); i++) {
      descriptors[i + 1] = ports.get(i).pollDescriptor();
    }
    successor.writeDescriptors(descriptors);
    Claim claim = Handover.read(successor, Claim.class);
    List<InterfacePort> claimed =
        claim.ports().stream().filter(i -> i >= 0 && i < ports.size()).map(ports::get).toList();
    Left left = end.leave(claimed);
    List<Integer> missing = new ArrayList<>();
    for (InterfacePort port : ports) {
      missing.add(claimed.contains(port) ? missing(port) : -1);
    }
    Handover.write(successor, new Handed(left.stopped(), left.until(), missing), left.custodies());
  }

  private static OfferedPort offered(InterfacePort port) {
    return port instanceof XdpPort xdp
        ? new OfferedPort(port.name(), port.ifIndex(), "xdp", xdp.ringSize(), xdp.custody())
        : new OfferedPort(port.name(), port.ifIndex(), "packet", 0, 0);
  }

  private int missing(InterfacePort port) {
    if (!dataplane.ports().contains(port)) {
      return -1; // it went between offer and claim
    }
    return port instanceof XdpPort xdp ? xdp.missing() : 0;
  }

  /** Waits until a successor that was told of the end knows it. */
  @Override
  public void close() {
    listener.close();
    try {
      thread.join(ANSWER);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
