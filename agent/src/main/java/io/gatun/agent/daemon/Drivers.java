package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration.Driver;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.agent.host.HostPair;
import io.gatun.control.document.MacAddress;
import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.port.InterfacePort;
import io.gatun.port.packet.Inbox;
import io.gatun.port.packet.PacketPort;
import io.gatun.port.packet.Share;
import io.gatun.port.xdp.AttachedInterface;
import io.gatun.port.xdp.XdpInterface;
import io.gatun.port.xdp.XdpRole;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.xdp.Umem;
import io.gatun.ring.xdp.XdpMode;
import io.gatun.ring.xdp.XdpSocket;
import io.gatun.segment.CoalesceStage;
import io.gatun.worker.Worker;
import io.gatun.worker.WorkerCounters;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Opens ports by the driver that each is to have, and owns the frames of all; for one thread. */
final class Drivers {
  /** Super-frames of a worker: one vector and one inbox, twice. 43 MB. */
  private static final int SUPER_FRAMES = 640;

  private final Leases leases;
  private final FrameBudget budget;
  private @Nullable Inheritance inheritance;
  private final Set<Driver> used = EnumSet.noneOf(Driver.class);
  private final Umem umem;
  private final @Nullable FrameDepot superFrames;
  private final boolean[] superPorts = new boolean[WorkerCounters.PORTS];
  private final Map<Worker, Inbox> inboxes = new HashMap<>();

  /**
   * Memory for {@code workers} workers, the ports of {@code interfaces}, and some that come later;
   * {@code host}: and the host's.
   *
   * @param inheritance sockets and memory that a living predecessor has, null without one
   */
  Drivers(
      List<Interfaces.Taken> interfaces,
      Interfaces rules,
      boolean host,
      int workers,
      Leases leases,
      @Nullable Inheritance inheritance) {
    this.leases = leases;
    this.inheritance = inheritance;
    for (Driver driver : List.of(Driver.XDP, Driver.PACKET)) {
      if (rules.mayCome(driver) || interfaces.stream().anyMatch(one -> one.driver() == driver)) {
        used.add(driver);
      }
    }
    if (host) {
      used.add(host());
    }
    List<XdpRole> present = new ArrayList<>();
    for (Interfaces.Taken taken : interfaces) {
      if (taken.driver() == Driver.XDP) {
        present.add(role(taken));
      }
    }
    if (host && host() == Driver.XDP) {
      present.add(XdpRole.HOST);
    }
    budget = new FrameBudget(workers, present, rules.mayCome(Driver.XDP), rules.mayPodsComeByXdp());
    umem = umem(budget.frames(), inheritance);
    superFrames = has(Driver.PACKET) ? superFrames(workers * SUPER_FRAMES) : null;
  }

  /** Whether a port has this driver, or one that comes later may. */
  boolean has(Driver driver) {
    return used.contains(driver);
  }

  /** The host's own stack hands over whole segments, too, where anybody can take them. */
  Driver host() {
    return has(Driver.PACKET) ? Driver.PACKET : Driver.XDP;
  }

  private static Umem umem(int frames, @Nullable Inheritance inheritance) {
    if (inheritance == null) {
      return Umem.createShared(frames);
    }
    if (inheritance.frames() < frames) {
      inheritance.decline();
      return Umem.createShared(frames);
    }
    return Umem.adopt(inheritance.frameMemory(), inheritance.frames());
  }

  private static FrameDepot superFrames(int frames) {
    // Shared with nobody, but so it has a name in /proc/PID/smaps.
    NativeArea.Shared memory =
        NativeArea.mapShared("super-frames", (long) frames * FrameDepot.SUPER_FRAME);
    Libc.close(memory.descriptor());
    return new FrameDepot(memory.area().address(), FrameDepot.SUPER_FRAME, frames);
  }

  /** The memory that all XDP sockets share. */
  Umem umem() {
    return umem;
  }

  /**
   * What a predecessor has left is ours from now on.
   *
   * @param custodies see {@link Umem#restore}; null when it did not hand over: its sockets are
   *     closed, and no frame is held for any
   */
  void restore(@Nullable CharBuffer custodies) {
    Inheritance left = inheritance;
    if (left != null && left.frames() > 0) {
      umem.restore(custodies == null ? CharBuffer.allocate(umem.depot().frames()) : custodies);
      leases.inherit(left.until());
    }
    if (left != null) {
      left.close();
      inheritance = null; // an interface that comes later, or again, is opened anew
    }
  }

  /** A new worker's frames. */
  FramePool pool() {
    return new FramePool(umem.depot(), superFrames);
  }

  /** The stage that joins packets on their way to such ports; null when there are none. */
  @Nullable CoalesceStage coalescing(FramePool pool) {
    FramePool frames = pool.superFrames();
    return frames == null ? null : new CoalesceStage(superPorts, pool, frames);
  }

  /**
   * Does for an interface all that does not need it free; what is returned takes it. Its frames go
   * to {@code owner}, which gets the port by the caller.
   */
  Supplier<InterfacePort> prepare(Interfaces.Taken taken, Worker owner) {
    int number = taken.port().number();
    String name = taken.port().name();
    int ifIndex = taken.port().ifIndex();
    MacAddress mac = taken.port().mac();
    if (taken.driver() == Driver.XDP) {
      return xdp(number, name, mac.bits(), role(taken), ifIndex, owner);
    }
    Share share =
        taken.role() == Role.UPLINK
            ? Share.uplink(leases.packet(), leases.uplinks(), mac.octets())
            : Share.pod(leases.packet());
    return packet(number, name, ifIndex, share, owner);
  }

  /** Takes the interface at once. */
  InterfacePort open(Interfaces.Taken taken, Worker owner) {
    try {
      return prepare(taken, owner).get();
    } catch (RuntimeException e) {
      closed(taken.port().number()); // tried again, perhaps by another number
      throw e;
    }
  }

  /** The same for our end of the pair that leads to the host. */
  Supplier<InterfacePort> prepareHost(HostPair pair, Worker owner) {
    int number = Dataplane.HOST_PORT;
    String name = pair.far();
    int ifIndex = Libc.ifNameToIndex(name);
    if (host() == Driver.XDP) {
      return xdp(number, name, HostPair.FAR_MAC.bits(), XdpRole.HOST, ifIndex, owner);
    }
    return packet(number, name, ifIndex, Share.pod(leases.packet()), owner);
  }

  private Supplier<InterfacePort> xdp(
      int number, String name, long mac, XdpRole role, int ifIndex, Worker owner) {
    superPorts[number] = false;
    Inheritance left = inheritance;
    int socket = left == null ? Inheritance.NONE : left.claim(name, ifIndex, "xdp");
    int size =
        left == null || socket == Inheritance.NONE ? budget.ringSize(role) : left.ringSize(socket);
    if (left == null) {
      checkRoom(size);
    }
    budget.has(number, size);
    AttachedInterface attached =
        leases.stubs().attach(new XdpInterface(number, name, mac, role, size));
    FramePool pool = owner.pool();
    if (left == null || socket == Inheritance.NONE) {
      return () -> attached.open(umem, pool);
    }
    XdpSocket.Inherited inherited =
        XdpSocket.inherit(
            umem, left.descriptor(socket), XdpMode.COPY, size, size, left.custody(socket));
    return () -> {
      if (left.has(socket)) {
        return attached.resume(inherited, pool, left.missing(socket));
      }
      inherited.close();
      return attached.open(umem, pool);
    };
  }

  /** The port of this number is open no more. */
  void closed(int number) {
    budget.has(number, 0);
  }

  /** A port that took the last frames would stop all others. */
  private void checkRoom(int ringSize) {
    int free = umem.depot().available();
    if (free < ringSize + FrameBudget.LEAST) {
      throw new IllegalStateException(
          "%d of %d frames are free, too few for its rings of %d; a restart makes room for all"
                  .formatted(free, umem.depot().frames(), ringSize)
              + " interfaces that are there, driver packet needs none");
    }
  }

  private Supplier<InterfacePort> packet(
      int number, String name, int ifIndex, Share share, Worker owner) {
    superPorts[number] = true;
    Supplier<InterfacePort> open =
        () -> {
          leases.unpin(name);
          return PacketPort.open(number, name, share, inbox(owner), owner.pool());
        };
    Inheritance left = inheritance;
    int socket = left == null ? Inheritance.NONE : left.claim(name, ifIndex, "packet");
    if (left == null || socket == Inheritance.NONE) {
      return open;
    }
    int descriptor = left.descriptor(socket);
    share.attach(name);
    return () -> {
      if (left.has(socket)) {
        return PacketPort.resume(number, name, descriptor, share, inbox(owner), owner.pool());
      }
      Libc.close(descriptor);
      return open.get();
    };
  }

  private Inbox inbox(Worker owner) {
    FramePool frames = owner.pool().superFrames();
    if (frames == null) {
      throw new IllegalStateException("no super-frames: no port was to have driver packet");
    }
    return inboxes.computeIfAbsent(owner, w -> new Inbox(w.roleName(), frames));
  }

  private static XdpRole role(Interfaces.Taken taken) {
    return taken.role() == Role.UPLINK ? XdpRole.UPLINK : XdpRole.POD;
  }
}
