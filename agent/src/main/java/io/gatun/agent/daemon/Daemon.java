package io.gatun.agent.daemon;

import io.gatun.agent.RunDirectory;
import io.gatun.agent.UsageException;
import io.gatun.agent.admin.AdminServer;
import io.gatun.agent.check.Firewall;
import io.gatun.agent.config.Configuration;
import io.gatun.agent.config.ConfigurationException;
import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Masquerade;
import io.gatun.agent.host.HostAgent;
import io.gatun.agent.host.HostPair;
import io.gatun.agent.host.HostView;
import io.gatun.agent.host.KernelOverlay;
import io.gatun.agent.host.KernelSettings;
import io.gatun.control.ControlThread;
import io.gatun.control.HeapRoom;
import io.gatun.control.ObjectSource;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.kernel.KernelSource;
import io.gatun.control.kernel.RtnetlinkSource;
import io.gatun.control.kubernetes.NodeAnnotations;
import io.gatun.control.manifest.ManifestSource;
import io.gatun.control.overlay.OverlaySource;
import io.gatun.control.service.NodeSettings;
import io.gatun.ffm.Libc;
import io.gatun.fib.Adjacency;
import io.gatun.port.InterfacePort;
import io.gatun.worker.OtherThreads;
import io.gatun.worker.Watchdog;
import io.gatun.worker.WorkerThread;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.CharBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.agrona.concurrent.Agent;
import org.jspecify.annotations.Nullable;

/** A running node, from the first line of its configuration to the last pin that is removed. */
public final class Daemon {
  private static final System.Logger LOG = System.getLogger("gatun");

  private static final int LOOK_MILLIS = 100;

  /** When the start and what followed at once are over, three seconds later. */
  private static final int LOOKS_BEFORE_TIDYING = 30;

  private static final int DEFAULT_MTU = 1500;

  /** A process that was stopped and goes on renews its lease at once; a stuck one never. */
  private static final int LOOKS_WITHOUT_LEASE = 10;

  /** A run only for the JVM's cache of classes and profiles: see bin/rehearse.sh. */
  private static final String REHEARSAL = "gatun.rehearsal";

  /** How a run ends. */
  private enum End {
    /** SIGTERM, or a successor asked for it: pins stay. */
    HAND_OVER,
    /** {@code gatun stop} or Ctrl-C: everything is undone. */
    STOP,
    /**
     * A thread died or is stuck: nothing is undone, not even unmapped, because the stuck one may
     * wake up; pins outlive us, and the supervisor starts a successor.
     */
    BROKEN
  }

  private final LinkedBlockingQueue<End> ends = new LinkedBlockingQueue<>();

  /** Who goes on with our sockets when we hand over, null for nobody. */
  private final AtomicReference<@Nullable Heir> heir = new AtomicReference<>();

  /**
   * A successor that lives already.
   *
   * @param ports it goes on with
   * @param left where it learns that it can, or why not
   */
  private record Heir(List<InterfacePort> ports, CompletableFuture<HandoverServer.Left> left) {}

  private Daemon() {}

  /**
   * Runs until it is told to end; returns the exit code.
   *
   * @param replace take over from a daemon that lives; false: refuse to
   * @param ignored whom not to mind: see {@link Preflight#refuse}
   */
  public static int run(
      Path config,
      @Nullable Path manifests,
      @Nullable Path kubeconfig,
      RunDirectory run,
      boolean replace,
      List<String> ignored)
      throws IOException, InterruptedException {
    // What takes longest, all at once.
    Beside<@Nullable ManifestSource> objects =
        Beside.begin("manifests", () -> manifests == null ? null : Origin.read(manifests));
    Beside<Firewall> firewall = Beside.begin("firewall", Firewall::read);
    Beside.begin("native calls", Libc::gettid); // links them
    GatunConfiguration configuration;
    try {
      configuration = Configuration.read(config);
    } catch (ConfigurationException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
    Observability observability = new Observability();
    try (InstanceLock lock = new InstanceLock(run)) {
      Interfaces rules = new Interfaces(configuration);
      Predecessor predecessor = Predecessor.of(run, lock, replace);
      if (!predecessor.lives()) {
        Niceness.comeBack();
      }
      List<Interfaces.Taken> interfaces = rules.present();
      Preflight.refuse(interfaces, run, firewall.outcome(), ignored);
      Origin origin =
          Origin.of(
              configuration, objects.outcome(), kubeconfig, run.objects(), observability.metrics());
      return new Daemon()
          .run(
              configuration,
              rules,
              interfaces,
              origin,
              observability,
              run,
              predecessor,
              firewall.outcome());
    }
  }

  private int run(
      GatunConfiguration configuration,
      Interfaces rules,
      List<Interfaces.Taken> interfaces,
      Origin origin,
      Observability observability,
      RunDirectory run,
      Predecessor predecessor,
      Firewall firewall)
      throws IOException, InterruptedException {
    long started = System.nanoTime();
    configuration
        .proxy()
        .meaningless()
        .forEach(field -> LOG.log(Level.INFO, "{0} has no meaning here and is ignored", field));
    AtomicReference<List<Interfaces.Taken>> taken = new AtomicReference<>(interfaces);
    HostPair pair = pair(configuration, interfaces, KernelSettings.open(run.settings()));
    Dataplane dataplane =
        new Dataplane(
            configuration,
            rules,
            interfaces,
            pair,
            run.bpf(),
            predecessor.lives(),
            predecessor.inheritance());
    KernelSource kernel =
        configuration.kernel().mirror() ? new RtnetlinkSource() : KernelSource.NONE;
    OverlaySource overlays = new OverlaySource(kernel);
    KernelMirror mirror =
        new KernelMirror(
            overlays,
            dataplane.tables().fib(),
            dataplane.tables().tunnels(),
            new Adjacency.Host(
                Dataplane.HOST_PORT, HostPair.FAR_MAC.bits(), HostPair.HOST_MAC.bits()),
            interfaces.stream().map(Interfaces.Taken::port).toList(),
            configuration.routes(),
            configuration.neighbours());
    mirror.onVteps(dataplane.crew()::vteps);
    mirror.onRemotes(dataplane.crew()::remotes);
    mirror.onSources(
        (to, source) -> dataplane.tables().sourceRoutes().put(to.address(), to.length(), source));
    NodeSettings node = Settings.node(configuration);
    HeapRoom room = HeapRoom.ofThisProcess(OtherThreads::hurryCollector);
    ObjectSource source =
        origin.source(
            configuration,
            () -> Libc.signal(dataplane.crew().wakeDescriptor()),
            observability.metrics(),
            room);
    ControlThread control =
        new ControlThread(
            source,
            mirror,
            node,
            ControlThread.FrontSink.of(dataplane.tables().services()),
            dataplane.tables().qsbr()::reclaim);
    control.configure(
        Settings.clients(configuration),
        Settings.clientPorts(interfaces, pair),
        configuration.serviceCidrs());
    control.room(room);
    observability.follow(control);
    KernelOverlay kernelOverlay =
        configuration.kernel().mirror() && configuration.vxlan() != null
            ? new KernelOverlay(KernelSettings.open(run.overlay()))
            : null;
    PrimaryAddresses primary =
        new PrimaryAddresses(node, mirror::localAddresses, now -> nameNode(dataplane, now));
    control.follow(primary);
    if (configuration.vxlan() != null) {
      NodeAnnotations annotations = origin.annotations(configuration.node());
      control.onSurroundings(
          new Overlays(
                  configuration,
                  node,
                  mirror,
                  overlays,
                  kernelOverlay,
                  annotations == null ? null : annotations::want)
              ::follow);
    }
    if (kernelOverlay == null) {
      KernelSettings.open(run.overlay()).undo(); // of a predecessor that was told otherwise
    }
    LocalTable local =
        new LocalTable(
            control::fronts,
            mirror::vteps,
            mirror::localVersion,
            configuration,
            dataplane.leases()::own,
            dataplane.tables().sources());
    control.settle(); // tables first, frames afterwards
    origin.start(control, predecessor.lives());
    EgressWatch egress = null;
    if (configuration.egressMasquerade() == Masquerade.AUTO && configuration.kernel().mirror()) {
      egress = new EgressWatch(control, mirror, taken::get);
      egress.look(firewall);
      control.settle();
    }
    local.doWork();
    SourceFilter sourceFilter =
        new SourceFilter(configuration.interfaces(), mirror, taken::get, dataplane.tables().fib());
    sourceFilter.doWork();
    dataplane.prepare();
    if (predecessor.lives()) {
      WarmUp.run(configuration.conntrack().stateDir(), () -> false);
      do {
        control.settle(); // what changed meanwhile
      } while (control.isBehind());
      local.doWork();
      Niceness.comeBack(); // nobody forwards from here on
    }
    Predecessor.Succession succession = predecessor.release();
    dataplane.tables().inheritFlows();
    dataplane.open(succession.custodies());
    dataplane.start(configuration.workers());
    if (succession.happened()) {
      LOG.log(
          Level.INFO,
          "took over: nobody forwarded for {0} ms; the other had stopped after {1} ms",
          (Libc.monotonicNanos() - succession.stopped()) / 1_000_000,
          (succession.free() - succession.asked()) / 1_000_000);
    }
    dataplane.giveTheRest();
    LivePorts ports =
        new LivePorts(
            rules,
            dataplane,
            mirror,
            interfaces,
            now -> {
              taken.set(now);
              control.clientPorts(Settings.clientPorts(now, pair));
              sourceFilter.portsChanged();
            });
    List<Agent> followers = new ArrayList<>(List.of(local));
    if (configuration.kernel().mirror()) { // else interfaces stay as they are
      followers.add(ports);
      followers.add(sourceFilter);
      followers.add(new WaitingPackets(dataplane, mirror));
      followers.add(new BridgedPorts(dataplane, mirror, taken::get));
    }
    ControlLoop loop =
        new ControlLoop(
                control,
                followers,
                mirror.descriptor(),
                dataplane.crew().wakeDescriptor(),
                configuration.onFailure().hold())
            .start();
    Watchdog watchdog =
        new Watchdog(
                dataplane.leases()::renew,
                configuration.onFailure().hold().toNanos(),
                dataplane.crew().counters(),
                control::heartbeat)
            .start();
    if (egress != null) {
      egress.start();
    }
    predecessor.awaitEnd();
    dataplane.tables().lockFlows();
    KernelSettings host = KernelSettings.open(run.settings());
    if (pair != null) {
      PodPrefixes pods = new PodPrefixes(mirror, taken::get, dataplane.tables().sources()::pods);
      HostAgent hostAgent =
          new HostAgent(
              pair,
              host,
              control::fronts,
              () ->
                  new HostView(
                      primary.current(),
                      local.addresses(),
                      control.serviceCidrs(),
                      pods.prefixes()));
      loop.follow(hostAgent);
      hostAgent.await();
    }
    Signals.on("TERM", () -> ends.add(End.HAND_OVER));
    Signals.on("INT", () -> ends.add(End.STOP));
    Reports reports =
        new Reports(
            configuration, run, dataplane, mirror, ports, started, () -> ends.add(End.STOP));
    End end;
    Map<String, Function<String, Object>> questions = new HashMap<>(reports.questions());
    observability.start(configuration, control, dataplane, ports, origin);
    LiveNode explained = new LiveNode(dataplane, mirror, taken::get);
    questions.put("explain", explained::explain);
    try (observability;
        AdminServer _ = new AdminServer(run.socket(), reports.all(), questions);
        HandoverServer _ = new HandoverServer(run.heir(), dataplane, this::handOver)) {
      LOG.log(
          Level.INFO,
          "ready in {0} ms: node {1}, {2} interfaces, {3} workers, socket {4}",
          (System.nanoTime() - started) / 1_000_000,
          configuration.node(),
          interfaces.size(),
          configuration.workers().count(),
          run.socket());
      if (Boolean.getBoolean(REHEARSAL)) {
        WarmUp.run(configuration.conntrack().stateDir(), () -> false);
        ends.add(End.STOP);
      }
      end = await(dataplane, configuration.workers());
      finish(end, configuration, dataplane, loop, watchdog);
      if (end != End.BROKEN) {
        origin.close(end == End.STOP);
      }
      if (end == End.STOP) {
        host.undo(); // before the socket goes: who asked for the stop waits for that
        if (kernelOverlay != null) {
          kernelOverlay.undo();
        }
      }
    }
    return end == End.BROKEN ? 1 : 0;
  }

  /** The way to the host; null where the kernel's tables are not ours to follow. */
  private static @Nullable HostPair pair(
      GatunConfiguration configuration,
      List<Interfaces.Taken> interfaces,
      KernelSettings settings) {
    if (!configuration.kernel().mirror()) {
      return null;
    }
    HostPair pair = new HostPair(configuration.kernel().hostInterface());
    int mtu =
        interfaces.stream()
            .filter(taken -> taken.role() == GatunConfiguration.Role.UPLINK)
            .mapToInt(taken -> taken.port().mtu())
            .min()
            .orElse(DEFAULT_MTU);
    pair.make(settings, mtu);
    return pair;
  }

  private static void nameNode(Dataplane dataplane, List<InetAddress> primary) {
    InetAddress ipv4 = null;
    InetAddress ipv6 = null;
    for (InetAddress address : primary) {
      if (address instanceof Inet4Address) {
        ipv4 = address;
      } else {
        ipv6 = address;
      }
    }
    dataplane.nodeAddresses(ipv4, ipv6);
  }

  private End await(Dataplane dataplane, GatunConfiguration.Workers workers)
      throws InterruptedException {
    int withoutLease = 0;
    int looks = 0;
    while (true) {
      End end = ends.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
      if (end != null) {
        return end;
      }
      if (!dataplane.crew().threads().stream().allMatch(WorkerThread::isAlive)) {
        return End.BROKEN;
      }
      if (++looks == LOOKS_BEFORE_TIDYING) {
        dataplane.crew().aloneOn(workers.cpus());
        System.gc(); // most of the heap is what only the start needed; ZGC gives it back
      }
      boolean lapsed = dataplane.leases().until() - Libc.monotonicNanos() < 0;
      withoutLease = lapsed ? withoutLease + 1 : 0;
      if (withoutLease == LOOKS_WITHOUT_LEASE) {
        LOG.log(
            Level.ERROR, "a worker or the control thread is stuck; the kernel forwards already");
        return End.BROKEN;
      }
    }
  }

  /** Returns when a successor can go on with {@code kept}. */
  private HandoverServer.Left handOver(List<InterfacePort> kept) throws IOException {
    Heir successor = new Heir(kept, new CompletableFuture<>());
    heir.set(successor);
    ends.add(End.HAND_OVER);
    try {
      return successor.left.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    }
  }

  private void finish(
      End end,
      GatunConfiguration configuration,
      Dataplane dataplane,
      ControlLoop control,
      Watchdog watchdog) {
    watchdog.close();
    switch (end) {
      case BROKEN -> {}
      case STOP -> {
        control.close();
        dataplane.detach();
      }
      case HAND_OVER -> {
        long handover = configuration.onFailure().handover().toNanos();
        control.close(); // a successor may take the tables over as soon as the sockets are free
        dataplane.leases().renew(Libc.monotonicNanos() + handover);
        Heir successor = heir.get();
        if (successor == null) {
          dataplane.release();
        } else {
          leave(dataplane, successor);
        }
      }
    }
  }

  private static void leave(Dataplane dataplane, Heir successor) {
    long stopped = Libc.monotonicNanos();
    CharBuffer custodies = dataplane.handOver(successor.ports);
    if (custodies == null) {
      successor.left.completeExceptionally(new IOException("a worker does not stop"));
    } else {
      successor.left.complete(
          new HandoverServer.Left(stopped, dataplane.leases().until(), custodies));
    }
  }
}
