package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Idle;
import io.gatun.bridge.Sightings;
import io.gatun.bridge.Switchboard;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.fib.Questions;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.OwnAddresses;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.port.InterfacePort;
import io.gatun.ring.frame.FramePool;
import io.gatun.service.DataPath;
import io.gatun.tunnel.DecapStage;
import io.gatun.tunnel.EncapStage;
import io.gatun.tunnel.Remote;
import io.gatun.tunnel.TunnelCounters;
import io.gatun.tunnel.Vtep;
import io.gatun.worker.CycleTimes;
import io.gatun.worker.HandOff;
import io.gatun.worker.Idling;
import io.gatun.worker.OtherThreads;
import io.gatun.worker.Worker;
import io.gatun.worker.WorkerCounters;
import io.gatun.worker.WorkerThread;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * The workers, each with stages of its own, and a ring from each to each other. What is told to all
 * of them is told here; built, started and ended by one thread.
 */
final class Crew {
  private static final long PATIENCE_MILLIS = 1000;

  private final Tables tables;
  private final boolean clampMss;
  private final int wakeDescriptor =
      (int)
          NativeException.check(
              Libc.eventfd(Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC),
              "eventfd",
              "raise the limit of open files (ulimit -n)");
  private final List<Worker> workers = new ArrayList<>();
  private final List<WorkerThread> threads = new ArrayList<>();
  private final List<HandOff> handOffs = new ArrayList<>();
  private final List<Answers> answers = new ArrayList<>();
  private final List<DecapStage> decaps = new ArrayList<>();
  private final List<TunnelCounters> tunnelCounters = new ArrayList<>();
  private final List<Questions> questions = new ArrayList<>();
  private final List<Sightings> sightings = new ArrayList<>();

  /** The same for all workers. */
  private List<String> stageNames = List.of();

  /** What is switched between bridged ports. */
  private volatile Switchboard board = Switchboard.EMPTY;

  /** By port number: what is partial has to be looked for. Set before the port has a worker. */
  private final boolean[] partial = new boolean[WorkerCounters.PORTS];

  /**
   * By port number: leads to other nodes, whose tunnels may end here. Set like {@link #partial}.
   */
  private final boolean[] underlay = new boolean[WorkerCounters.PORTS];

  /**
   * None of them runs yet.
   *
   * @param clampMss whether TCP connections through tunnels are told what fits
   */
  Crew(Tables tables, Drivers drivers, GatunConfiguration.Workers wanted, boolean clampMss) {
    this.tables = tables;
    this.clampMss = clampMss;
    for (int i = 0; i < wanted.count(); i++) {
      workers.add(worker(i, drivers, wanted.coalesce()));
    }
    for (Worker from : workers) {
      for (Worker to : workers) {
        if (from != to) {
          handOffs.add(from.handOffTo(to));
        }
      }
    }
  }

  private Worker worker(int number, Drivers drivers, boolean coalesce) {
    Answers answering = new Answers();
    answers.add(answering);
    FramePool pool = drivers.pool();
    Questions asking = new Questions("questions of worker-" + number, wakeDescriptor);
    questions.add(asking);
    Sightings seeing = new Sightings("sightings of worker-" + number, wakeDescriptor);
    sightings.add(seeing);
    ParseStage parse = ParseStage.sharing(partial);
    TunnelCounters counted = new TunnelCounters(Tables.TUNNELS);
    tunnelCounters.add(counted);
    DecapStage decap = new DecapStage(parse, underlay, tables.tunnels(), counted, clampMss);
    decaps.add(decap);
    List<DataPath.Step> steps =
        new ArrayList<>(
            new DataPath(
                    tables.forStages(),
                    parse,
                    answering,
                    new DataPath.Overlay(
                        decap, new EncapStage(tables.tunnels(), counted, clampMss)),
                    new DataPath.Bridging(() -> board, seeing),
                    pool,
                    asking,
                    Libc::monotonicNanos)
                .steps());
    Stage coalescing = coalesce ? drivers.coalescing(pool) : null;
    if (coalescing != null) {
      steps.add(new DataPath.Step("coalesce", coalescing));
    }
    stageNames = steps.stream().map(DataPath.Step::name).toList();
    List<Stage> stages = steps.stream().map(DataPath.Step::stage).toList();
    return new Worker("worker-" + number, pool, tables.qsbr().register(), stages);
  }

  /** Starts them, pinned as the configuration says. */
  void start(GatunConfiguration.Workers wanted) {
    Idling idling = wanted.idle() == Idle.BUSY ? Idling.BUSY : Idling.ADAPTIVE;
    for (int i = 0; i < workers.size(); i++) {
      int cpu = i < wanted.cpus().size() ? wanted.cpus().get(i) : WorkerThread.ANY_CPU;
      threads.add(WorkerThread.start(workers.get(i), idling, cpu));
    }
  }

  /**
   * From now on nothing else of this process runs on their cores, and those that they wait for at
   * safepoints come first elsewhere. Not from the start on: the compilers need them then, and so do
   * the workers, which are slow until those are done.
   */
  void aloneOn(Collection<Integer> cpus) {
    BitSet set = new BitSet();
    cpus.forEach(set::set);
    Set<Integer> tids = threads.stream().map(WorkerThread::tid).collect(Collectors.toSet());
    OtherThreads.leave(set, tids);
    OtherThreads.rank(tids);
  }

  /** Ends them; what they held waits in the rings. False: a stuck one is left behind. */
  boolean stop() {
    boolean stopped = true;
    try {
      for (WorkerThread thread : threads) {
        stopped &= thread.stop(PATIENCE_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    return stopped;
  }

  // Ports.

  /** The worker that a port belongs to goes by its number, so that they are spread evenly. */
  Worker owner(int port) {
    return workers.get(port % workers.size());
  }

  /** The one that has the host's port. */
  Worker first() {
    return workers.getFirst();
  }

  /** By which port packets reach the host. */
  void hostPort(int number) {
    workers.forEach(worker -> worker.hostPort(number, 0)); // routes have the MACs
  }

  /**
   * What the stages know of a port by its number, before its worker has it.
   *
   * @param partial checksums may be left to a device, and nobody says so
   * @param underlay it leads to other nodes
   */
  void describe(int port, boolean partial, boolean underlay) {
    this.partial[port] = partial;
    this.underlay[port] = underlay;
  }

  /** Before the workers run. */
  void open(InterfacePort port, Worker owner) {
    owner.add(port);
    routes(owner).forEach((from, ring) -> from.route(port.number(), ring));
  }

  /** The same while they run; returns when the port has its worker. */
  void add(InterfacePort port) {
    Worker owner = owner(port.number());
    await(owner, () -> owner.add(port));
    routes(owner).forEach((from, ring) -> await(from, () -> from.route(port.number(), ring)));
  }

  /** Returns when no worker looks at the port any more. */
  void remove(InterfacePort port) {
    for (Worker worker : workers) {
      await(
          worker,
          () -> {
            worker.route(port.number(), null);
            worker.remove(port.number());
          });
    }
  }

  /** By which ring each other worker reaches {@code owner}. */
  private Map<Worker, HandOff> routes(Worker owner) {
    Map<Worker, HandOff> routes = new HashMap<>();
    int ring = 0;
    for (Worker from : workers) {
      for (Worker to : workers) {
        if (from != to) {
          if (to == owner) {
            routes.put(from, handOffs.get(ring));
          }
          ring++;
        }
      }
    }
    return routes;
  }

  /** Runs {@code command} inside the worker's cycle and waits for its end. */
  private static void await(Worker worker, Runnable command) {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    boolean accepted =
        worker.submit(() -> {
          command.run();
          done.complete(true);
        });
    try {
      if (accepted) {
        done.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // As if it had not been accepted.
    }
    throw new IllegalStateException(worker.roleName() + " takes no commands");
  }

  // What all of them are told, and what they tell.

  /** An eventfd by which workers wake the control thread. */
  int wakeDescriptor() {
    return wakeDescriptor;
  }

  /** Ends the workers' sleep: what they wait for may be there. */
  void wake() {
    workers.forEach(Worker::wakeIfParked);
  }

  /** Hands over for what neighbours packets wait; returns how many. On the control thread. */
  int questions(Questions.Consumer consumer) {
    int count = 0;
    for (Questions asking : questions) {
      count += asking.poll(consumer);
    }
    return count;
  }

  /** Hands over addresses that bridges have not learnt; returns how many. On the control thread. */
  int sightings(Sightings.Consumer consumer) {
    int count = 0;
    for (Sightings seeing : sightings) {
      count += seeing.poll(consumer);
    }
    return count;
  }

  /** What is switched from now on. */
  void switchboard(Switchboard next) {
    board = next;
    wake();
  }

  Switchboard switchboard() {
    return board;
  }

  /** Where tunnels end from now on. */
  void vteps(List<Vtep> vteps) {
    decaps.forEach(decap -> decap.vteps(vteps));
  }

  /** Who is at the other ends. */
  void remotes(List<Remote> remotes) {
    decaps.forEach(decap -> decap.remotes(remotes));
  }

  /** What our ICMP errors come from. */
  void ownAddresses(OwnAddresses own) {
    answers.forEach(answering -> answering.ownAddresses(own));
  }

  /** Of each worker. */
  List<TunnelCounters> tunnelCounters() {
    return tunnelCounters;
  }

  List<WorkerCounters> counters() {
    return workers.stream().map(Worker::counters).toList();
  }

  /** How long their cycles took. */
  List<CycleTimes> times() {
    return workers.stream().map(Worker::times).toList();
  }

  /** What the stages are called, in their order. */
  List<String> stageNames() {
    return stageNames;
  }

  List<WorkerThread> threads() {
    return threads;
  }
}
