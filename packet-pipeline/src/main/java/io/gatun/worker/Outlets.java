package io.gatun.worker;

import io.gatun.ffm.memory.Memory;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import io.gatun.port.Port;
import io.gatun.ring.frame.FramePool;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a worker's packets go when the stages are done with them: out by a port of its own, over a
 * ring to the worker that owns the port, to the host, or back to the pool. Belongs to the worker.
 */
final class Outlets {
  /** No host port. */
  private static final int NONE = -1;

  private final FramePool pool;
  private final WorkerCounters counters;
  private final PacketVector handed = new PacketVector();

  // By port number.
  private final @Nullable Port[] own = new @Nullable Port[WorkerCounters.PORTS];
  private final @Nullable HandOff[] elsewhere = new @Nullable HandOff[WorkerCounters.PORTS];

  private int hostPort = NONE;
  private long hostMac;

  Outlets(FramePool pool, WorkerCounters counters) {
    this.pool = pool;
    this.counters = counters;
  }

  /** From now on {@code port} is the worker's. */
  void add(Port port) {
    Port there = own[port.number()];
    if (there != null) {
      throw new IllegalArgumentException(
          "port number %d is taken by %s".formatted(port.number(), there.name()));
    }
    own[port.number()] = port;
  }

  /** Lets go of port {@code number}; null when it is not the worker's. */
  @Nullable Port remove(int number) {
    Port port = own[number];
    own[number] = null;
    return port;
  }

  /** The worker's ports, by their numbers. */
  Port[] ports() {
    List<Port> ports = new ArrayList<>();
    for (Port port : own) {
      if (port != null) {
        ports.add(port);
      }
    }
    return ports.toArray(new Port[0]);
  }

  /** See {@link Worker#hostPort}. */
  void host(int number, long mac) {
    hostPort = number;
    hostMac = mac;
  }

  /** See {@link Worker#route}. */
  void route(int number, @Nullable HandOff ring) {
    elsewhere[number] = ring;
  }

  /** Sends, hands over or drops every packet of {@code v}, and counts its end. */
  void dispatch(PacketVector v) {
    int sent = 0;
    int host = 0;
    int answered = 0;
    int dropped = 0;
    int size = v.size;
    int[] verdict = v.verdict;
    for (int i = 0; i < size; i++) {
      switch (verdict[i]) {
        case Verdict.SEND -> {
          sent++;
          send(v, i);
        }
        case Verdict.ANSWER -> {
          answered++;
          send(v, i);
        }
        case Verdict.HOST -> {
          host++;
          toHost(v, i);
        }
        case Verdict.DROP -> {
          dropped++;
          drop(v, i);
        }
        case Verdict.JOINED -> joined(v, i);
        case Verdict.HELD -> {
          // comes again, and is counted then
        }
        default -> {
          dropped++;
          v.dropReason[i] = DropReason.INTERNAL.code();
          drop(v, i);
        }
      }
    }
    counters.made(v.made);
    counters.ended(Verdict.SEND, sent);
    counters.ended(Verdict.ANSWER, answered);
    counters.ended(Verdict.HOST, host);
    counters.ended(Verdict.DROP, dropped);
  }

  /** Counted as sent, without bytes: those are in the packet that carries them. */
  private void joined(PacketVector v, int i) {
    if (own[v.outPort[i]] != null) {
      counters.tx(v.outPort[i], 0);
    } else {
      counters.handOff();
    }
    counters.ended(Verdict.JOINED, 1);
    pool.give(v.frame[i]);
  }

  private void toHost(PacketVector v, int i) {
    if (hostPort == NONE) {
      v.dropReason[i] = DropReason.NO_HOST_PORT.code();
      drop(v, i);
      return;
    }
    if (hostMac != 0) {
      Memory.putShortBe(v.address[i], (int) (hostMac >>> 32));
      Memory.putIntBe(v.address[i] + 2, (int) hostMac);
    }
    v.outPort[i] = hostPort;
    send(v, i);
  }

  /** Small, so that it is compiled into the loop; what is not plain goes elsewhere. */
  private void send(PacketVector v, int i) {
    int number = v.outPort[i];
    @Nullable Port[] ports = own;
    if (number >= 0 && number < ports.length) {
      Port port = ports[number];
      if (port != null && port.tx(v, i)) {
        counters.tx(number, v.length[i]);
        return;
      }
    }
    sendElsewhere(v, i, number);
  }

  private void sendElsewhere(PacketVector v, int i, int number) {
    if (number < 0 || number >= WorkerCounters.PORTS) {
      v.dropReason[i] = DropReason.INTERNAL.code();
      drop(v, i);
      return;
    }
    Port port = own[number];
    if (port != null) {
      sendAgain(port, v, i);
      return;
    }
    HandOff ring = elsewhere[number];
    if (ring == null) {
      v.dropReason[i] = DropReason.PORT_DOWN.code();
      drop(v, i);
    } else if (ring.put(v, i)) {
      counters.handOff();
    } else {
      v.dropReason[i] = DropReason.HAND_OFF_FULL.code();
      drop(v, i);
    }
  }

  /** What {@code port} has just refused. */
  private void sendAgain(Port port, PacketVector v, int i) {
    if (v.dropReason[i] == DropReason.TX_RING_FULL.code()) {
      port.flush(); // makes room where the kernel takes frames during the call
      port.reclaim();
      if (port.tx(v, i)) {
        counters.tx(port.number(), v.length[i]);
        return;
      }
    }
    drop(v, i);
  }

  private void drop(PacketVector v, int i) {
    counters.drop(v.dropReason[i]);
    pool.give(v.frame[i]);
  }

  /** Sends what another worker has put into {@code ring} for ports of ours; returns how many. */
  int takeOver(HandOff ring) {
    handed.size = 0;
    int n = ring.take(handed);
    if (n > 0) {
      counters.takeOver(n);
      for (int i = 0; i < n; i++) {
        Port port = own[handed.outPort[i]];
        if (port == null) { // gone in between; never passed on again: no loops between workers
          handed.dropReason[i] = DropReason.PORT_DOWN.code();
          drop(handed, i);
        } else if (port.tx(handed, i)) {
          counters.tx(port.number(), handed.length[i]);
        } else {
          sendAgain(port, handed, i);
        }
      }
    }
    return n;
  }

  /** Drops what is left in {@code ring}: nobody sends it any more. */
  void drain(HandOff ring) {
    handed.size = 0;
    while (ring.take(handed) > 0) {
      for (int i = 0; i < handed.size; i++) {
        handed.dropReason[i] = DropReason.PORT_DOWN.code();
        counters.takeOver(1);
        drop(handed, i);
      }
      handed.size = 0;
    }
  }
}
