package io.gatun.worker;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.pipeline.HoldingStage;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import io.gatun.port.Port;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * One duty cycle of the data path. Everything belongs to the thread that steps it; only {@link
 * #counters}, {@link #submit}, {@link #wakeIfParked} and {@link #inject} may be called from others.
 *
 * <pre>{@code
 * Worker worker = new Worker("worker-0", pool, qsbr.register(), List.of(parse, route));
 * worker.add(portA);
 * worker.add(portB);
 * worker.doWork();                                  // a test steps it
 * WorkerThread.start(worker, Idling.ADAPTIVE, 1);   // or a thread does
 * worker.submit(() -> worker.add(portC));           // later changes run inside the cycle
 * }</pre>
 */
public final class Worker implements Agent, AutoCloseable {
  private static final int COMMANDS = 256;

  /**
   * What ports leave free of a vector while stages hold packets, which come back by being added.
   */
  static final int ROOM_FOR_HELD = PacketVector.CAPACITY / 4;

  private final String name;
  private final FramePool pool;
  private final Qsbr.Reader reader;
  private final Stage[] stages;
  private final HoldingStage[] holding;
  private final WorkerCounters counters = new WorkerCounters();
  private final CycleTimes times;
  private final PacketVector packets = new PacketVector();
  private final Outlets outlets;
  private final ManyToOneConcurrentArrayQueue<Runnable> commands =
      new ManyToOneConcurrentArrayQueue<>(COMMANDS);
  private final List<HandOff> outgoing = new ArrayList<>();
  private final List<HandOff> incoming = new ArrayList<>();
  private final int wakeDescriptor;
  private Port[] ports = {};
  private HandOff[] out = {};
  private HandOff[] in = {};
  private int firstPort;
  private int vectors;
  private volatile Fault fault = Fault.NONE;

  /**
   * A worker without ports.
   *
   * @param pool frames of this worker; all its ports take from and give to it
   * @param reader this worker's place in the quiescence of the tables that the stages read
   * @param stages in order; the last ones give every packet a verdict
   */
  public Worker(String name, FramePool pool, Qsbr.Reader reader, List<Stage> stages) {
    this.name = name;
    this.pool = pool;
    this.reader = reader;
    this.outlets = new Outlets(pool, counters);
    this.stages = stages.toArray(new Stage[0]);
    this.times = new CycleTimes(stages.size());
    this.holding =
        stages.stream()
            .filter(HoldingStage.class::isInstance)
            .map(HoldingStage.class::cast)
            .toArray(HoldingStage[]::new);
    this.wakeDescriptor =
        (int)
            NativeException.check(
                Libc.eventfd(Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC),
                "eventfd",
                "raise the limit of open files (ulimit -n)");
  }

  @Override
  public String roleName() {
    return name;
  }

  /** What this worker counted; readable by any thread. */
  public WorkerCounters counters() {
    return counters;
  }

  /** How long its cycles took; readable by any thread. */
  public CycleTimes times() {
    return times;
  }

  /** Frames of this worker. */
  public FramePool pool() {
    return pool;
  }

  // Wiring: before the first cycle, or inside one (submit).

  /** From now on {@code port} belongs to this worker. */
  public void add(Port port) {
    outlets.add(port);
    ports = rebuilt();
  }

  /** Lets go of port {@code number}, and returns it for closing; null when it is not ours. */
  public @Nullable Port remove(int number) {
    Port port = outlets.remove(number);
    ports = rebuilt();
    return port;
  }

  private Port[] rebuilt() {
    firstPort = 0;
    return outlets.ports();
  }

  /**
   * What is for the node's own stack goes to port {@code number} from now on.
   *
   * @param mac link-layer address of the host's end, written as destination; its 48 bits right
   *     aligned, 0 leaves the frame as it is
   */
  public void hostPort(int number, long mac) {
    outlets.host(number, mac);
  }

  /**
   * A ring from this worker to {@code other}, over which packets for {@code other}'s ports go. Made
   * before either runs; the caller closes it after both have ended.
   */
  public HandOff handOffTo(Worker other) {
    HandOff ring = new HandOff(name + " to " + other.name, other);
    outgoing.add(ring);
    out = outgoing.toArray(new HandOff[0]);
    other.incoming.add(ring);
    other.in = other.incoming.toArray(new HandOff[0]);
    return ring;
  }

  /**
   * Packets for port {@code number}, which another worker owns, leave over {@code ring}; null ends
   * it.
   */
  public void route(int number, @Nullable HandOff ring) {
    outlets.route(number, ring);
  }

  /**
   * Any thread: runs {@code command} inside this worker's cycle, one a cycle. False when {@value
   * #COMMANDS} wait already.
   */
  public boolean submit(Runnable command) {
    boolean accepted = commands.offer(command);
    wakeIfParked();
    return accepted;
  }

  /** Any thread: for tests of what follows when a worker breaks. */
  public void inject(Fault newFault) {
    fault = newFault;
    wakeIfParked();
  }

  // The duty cycle.

  @Override
  public void onStart() {
    reader.online();
  }

  @Override
  public void onClose() {
    reader.offline();
  }

  @Override
  public int doWork() {
    long began = System.nanoTime();
    counters.beat();
    reader.quiescent();
    int work = command();
    if (fault != Fault.NONE) {
      fail();
    }
    boolean due = due();
    int received = receive(due ? PacketVector.CAPACITY - ROOM_FOR_HELD : PacketVector.CAPACITY);
    if (received > 0 || due) {
      if ((++vectors & CycleTimes.SAMPLED - 1) == 0) {
        processTimed();
      } else {
        for (Stage stage : stages) {
          stage.process(packets);
        }
      }
      outlets.dispatch(packets);
      for (HandOff ring : out) {
        ring.publish();
      }
    }
    for (HandOff ring : in) {
      work += outlets.takeOver(ring);
    }
    for (Port port : ports) {
      port.flush();
      work += port.reclaim();
    }
    work += received;
    if (work == 0) {
      counters.idled();
    } else {
      times.cycle(System.nanoTime() - began);
    }
    return work;
  }

  private void processTimed() {
    times.vector(packets.size);
    long before = System.nanoTime();
    for (int i = 0; i < stages.length; i++) {
      stages[i].process(packets);
      long now = System.nanoTime();
      times.stage(i, now - before);
      before = now;
    }
  }

  private boolean due() {
    for (HoldingStage stage : holding) {
      if (stage.due()) {
        return true;
      }
    }
    return false;
  }

  private int command() {
    Runnable command = commands.poll();
    if (command == null) {
      return 0;
    }
    command.run();
    return 1;
  }

  private int receive(int most) {
    PacketVector v = packets;
    v.size = 0;
    v.made = 0;
    Port[] owned = ports;
    int count = owned.length;
    int at = firstPort;
    for (int k = 0; k < count && v.size < most; k++) {
      Port port = owned[at];
      int before = v.size;
      int n = port.rx(v, most - before);
      if (n > 0) {
        long bytes = 0;
        for (int i = before; i < v.size; i++) {
          bytes += v.length[i];
        }
        counters.rx(port.number(), n, bytes);
      }
      at = at + 1 == count ? 0 : at + 1;
    }
    if (v.size == most) {
      firstPort = at; // who got nothing this time begins the next
    }
    return v.size;
  }

  private void fail() {
    while (fault == Fault.STUCK) {
      Thread.onSpinWait();
    }
    if (fault == Fault.EXCEPTION) {
      throw new IllegalStateException(name + ": fault injected");
    }
  }

  // Sleeping: see Sleep.

  Qsbr.Reader reader() {
    return reader;
  }

  Port[] ports() {
    return ports;
  }

  int wakeDescriptor() {
    return wakeDescriptor;
  }

  /** Whether something came that poll(2) on the ports would not see. */
  boolean hasMail() {
    if (!commands.isEmpty() || fault != Fault.NONE) {
      return true;
    }
    for (HandOff ring : in) {
      if (ring.depth() > 0) {
        return true;
      }
    }
    return false;
  }

  /** Any thread, after publishing something: ends this worker's sleep. */
  public void wakeIfParked() {
    VarHandle.fullFence(); // what was published before the look; partner in Sleep
    if (counters.isParked()) {
      Libc.signal(wakeDescriptor);
    }
  }

  /** After the last cycle: closes the ports and gives all frames back. */
  @Override
  public void close() {
    for (Port port : ports) {
      port.close();
    }
    for (HandOff ring : in) {
      outlets.drain(ring);
    }
    pool.close();
    Libc.close(wakeDescriptor);
  }
}
