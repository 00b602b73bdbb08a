package io.gatun.agent.daemon;

import io.gatun.agent.RunDirectory;
import io.gatun.agent.Version;
import io.gatun.agent.config.GatunConfiguration;
import io.gatun.control.document.Addresses;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.kernel.NeighbourView;
import io.gatun.control.kernel.RouteView;
import io.gatun.control.model.Protocol;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowView;
import io.gatun.flow.Ticks;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.Verdict;
import io.gatun.port.InterfacePort;
import io.gatun.service.Algorithm;
import io.gatun.service.Backends;
import io.gatun.service.FrontSpec;
import io.gatun.service.ServiceCopy;
import io.gatun.worker.WorkerCounters;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What the admin socket answers, by name. Read from counters and published tables by any thread;
 * nothing here stops a worker.
 */
final class Reports {
  private static final int ANSWER_SECONDS = 5;

  private final GatunConfiguration configuration;
  private final Dataplane dataplane;
  private final FlowReport flowReport;
  private final KernelMirror mirror;
  private final LivePorts ports;
  private final RunDirectory run;
  private final long started;
  private final Runnable stop;

  Reports(
      GatunConfiguration configuration,
      RunDirectory run,
      Dataplane dataplane,
      KernelMirror mirror,
      LivePorts ports,
      long started,
      Runnable stop) {
    this.configuration = configuration;
    this.dataplane = dataplane;
    this.flowReport = new FlowReport(dataplane.tables().flows(), dataplane.tables().services());
    this.mirror = mirror;
    this.ports = ports;
    this.run = run;
    this.started = started;
    this.stop = stop;
  }

  Map<String, Supplier<Object>> all() {
    return Map.of(
        "status", this::status,
        "services", this::services,
        "endpoints", this::endpoints,
        "flows", this::flows,
        "ports", this::ports,
        "routes", this::routes,
        "neighbours", this::neighbours,
        "tunnels",
            () ->
                TunnelReport.rows(fromControl(mirror::tunnels), dataplane.crew().tunnelCounters()),
        "drops", this::drops,
        "stop", this::stopping);
  }

  private Object stopping() {
    stop.run();
    return Map.of("stopping", true);
  }

  private Object status() {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("node", configuration.node());
    row.put("version", Version.line());
    row.put("pid", ProcessHandle.current().pid());
    row.put("standby", Standby.state(run));
    row.put("uptimeSeconds", (System.nanoTime() - started) / 1_000_000_000L);
    row.put("leaseMillis", (dataplane.leases().until() - Libc.monotonicNanos()) / 1_000_000L);
    row.put("workers", dataplane.crew().threads().size());
    row.put("workersAlive", dataplane.crew().threads().stream().filter(t -> t.isAlive()).count());
    row.put("ports", ports.ports().stream().map(port -> port.port().name()).toList());
    row.put("routes", dataplane.tables().fib().size());
    row.put("flows", dataplane.tables().flows().size());
    row.put("maxFlows", dataplane.tables().flows().capacity());
    row.put("flowRoom", dataplane.tables().flows().room());
    row.put("flowsEvicted", dataplane.tables().flows().evicted());
    row.put("snatPortsUsedPercent", dataplane.tables().flowKeeper().portsUsedPercent());
    row.put("framesIn", sum(WorkerCounters::received));
    row.put("framesOut", sum(WorkerCounters::transmitted));
    row.put("answered", sum(counters -> counters.verdicts(Verdict.ANSWER)));
    row.put("dropped", sum(WorkerCounters::dropped));
    row.put("perWorker", dataplane.crew().counters().stream().map(Reports::frames).toList());
    return row;
  }

  /**
   * Frames of one worker: in + taken over + made = out + handed off + dropped, once it stands
   * still.
   */
  private static Map<String, Object> frames(WorkerCounters worker) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("framesIn", worker.received());
    row.put("framesOut", worker.transmitted());
    row.put("answered", worker.verdicts(Verdict.ANSWER));
    row.put("dropped", worker.dropped());
    row.put("handedOff", worker.handedOff());
    row.put("takenOver", worker.takenOver());
    row.put("made", worker.made());
    return row;
  }

  private Object services() {
    List<Object> rows = new ArrayList<>();
    for (ServiceCopy copy : dataplane.tables().services().services()) {
      FrontSpec front = copy.spec();
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("service", front.service());
      row.put("frontend", front.kind().label());
      row.put("address", Addresses.text(front.address()));
      row.put("port", front.port());
      row.put("protocol", Protocol.word(front.protocol()));
      row.put("policy", front.policyLocal() ? "Local" : "Cluster");
      row.put("algorithm", word(front.backends().cluster().algorithm()));
      row.put("affinitySeconds", front.affinity().seconds());
      row.put("sourceRanges", front.sourceRanges());
      row.put("connections", copy.connections());
      row.put("endpoints", front.endpoints().stream().map(Addresses::text).toList());
      rows.add(row);
    }
    return rows;
  }

  private static String word(Algorithm algorithm) {
    return algorithm.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** A row for each endpoint of a Service port: where traffic may go, and the flows there are. */
  private Object endpoints() {
    Map<Integer, Map<InetSocketAddress, Integer>> flows = new HashMap<>();
    dataplane
        .tables()
        .flows()
        .forEach(flow ->
            flows
                .computeIfAbsent(flow.service(), service -> new HashMap<>())
                .merge(endpoint(flow), 1, Integer::sum));
    Map<List<Object>, Object> rows = new LinkedHashMap<>();
    for (ServiceCopy copy : dataplane.tables().services().services()) {
      Backends backends = copy.spec().backends();
      Set<InetSocketAddress> all = new LinkedHashSet<>(backends.cluster().endpoints());
      all.addAll(backends.local().endpoints());
      all.addAll(backends.serving().endpoints());
      for (InetSocketAddress endpoint : all) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("service", copy.spec().service());
        row.put("protocol", Protocol.word(copy.spec().protocol()));
        row.put("endpoint", Addresses.text(endpoint));
        row.put("cluster", backends.cluster().contains(endpoint));
        row.put("local", backends.local().contains(endpoint));
        row.put("flows", flows.getOrDefault(copy.number(), Map.of()).getOrDefault(endpoint, 0));
        rows.put(List.of(copy.spec().service(), endpoint), row);
      }
    }
    return rows.values();
  }

  private static InetSocketAddress endpoint(FlowView flow) {
    return new InetSocketAddress(
        AddressWords.address(flow.ipv6(), flow.endpointHigh(), flow.endpointLow()),
        flow.endpointPort());
  }

  private Object flows() {
    return flowReport.rows(Ticks.ofNanos(Libc.monotonicNanos()));
  }

  private Object flows(String question) {
    return flowReport.answer(question, Ticks.ofNanos(Libc.monotonicNanos()));
  }

  /** What has an argument after its name. */
  Map<String, Function<String, Object>> questions() {
    return Map.of("flows", this::flows);
  }

  private Object ports() {
    List<Object> rows = new ArrayList<>();
    for (LivePorts.Live live : ports.ports()) {
      InterfacePort port = live.port();
      PortCounts counts =
          PortCounts.of(dataplane.crew().counters(), port.number()).since(live.base());
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("port", port.number());
      row.put("name", port.name());
      row.put("role", live.taken().role().name().toLowerCase(Locale.ROOT));
      row.put("driver", live.taken().driver().name().toLowerCase(Locale.ROOT));
      row.put("mac", live.taken().port().mac().toString());
      row.put("mtu", live.taken().port().mtu());
      traffic(row, port, counts);
      rows.add(row);
    }
    InterfacePort host = dataplane.hostPort();
    if (host != null) {
      rows.add(hostPort(host));
    }
    return rows;
  }

  private Map<String, Object> hostPort(InterfacePort port) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("port", port.number());
    row.put("name", port.name());
    row.put("role", "host");
    row.put("driver", dataplane.hostDriver().name().toLowerCase(Locale.ROOT));
    traffic(row, port, PortCounts.of(dataplane.crew().counters(), port.number()));
    return row;
  }

  private static void traffic(Map<String, Object> row, InterfacePort port, PortCounts counts) {
    row.put("mode", port.mode());
    row.put("up", port.up());
    row.put("rxFrames", counts.rxFrames());
    row.put("rxBytes", counts.rxBytes());
    row.put("txFrames", counts.txFrames());
    row.put("txBytes", counts.txBytes());
    try {
      row.put("kernelDropped", port.kernelDropped());
      row.putAll(port.details());
    } catch (NativeException e) {
      row.put("up", false); // given up between two lines
    }
  }

  private Object routes() {
    List<Object> rows = new ArrayList<>();
    for (RouteView route : fromControl(mirror::routes)) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("prefix", route.prefix().toString());
      row.put("kind", route.kind().name().toLowerCase(Locale.ROOT));
      row.put("metric", route.metric());
      row.put("via", join(route, way -> word(way.via())));
      row.put("dev", join(route, RouteView.Way::dev));
      row.put("port", join(route, RouteView.Way::port));
      row.put("mac", join(route, way -> word(way.mac())));
      row.put("weight", join(route, way -> route.ways().size() < 2 ? "" : "" + way.weight()));
      rows.add(row);
    }
    return rows;
  }

  /** One value for each way out, with a bar between them; empty when none has one. */
  private static String join(RouteView route, Function<RouteView.Way, @Nullable String> value) {
    List<String> values =
        route.ways().stream().map(way -> Objects.requireNonNullElse(value.apply(way), "")).toList();
    return values.stream().allMatch(String::isEmpty) ? "" : String.join("|", values);
  }

  private static String word(@Nullable Object value) {
    return switch (value) {
      case null -> "";
      case InetAddress address -> Addresses.text(address);
      default -> value.toString();
    };
  }

  private Object neighbours() {
    List<Object> rows = new ArrayList<>();
    for (NeighbourView neighbour : fromControl(mirror::neighbours)) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("address", word(neighbour.address()));
      row.put("dev", neighbour.dev());
      row.put("port", word(neighbour.port()));
      row.put("mac", word(neighbour.mac()));
      row.put("state", neighbour.state());
      row.put("used", neighbour.used());
      rows.add(row);
    }
    return rows;
  }

  /** Asked of the control thread, which alone may look. */
  private <T> T fromControl(Supplier<T> question) {
    try {
      return mirror.ask(question).get(ANSWER_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("the control thread does not answer", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private Object drops() {
    List<Object> rows = new ArrayList<>();
    for (DropReason reason : DropReason.values()) {
      long packets = sum(counters -> counters.drops(reason));
      if (packets > 0) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("reason", reason.label());
        row.put("packets", packets);
        row.put("meaning", reason.meaning());
        rows.add(row);
      }
    }
    return rows;
  }

  private long sum(ToLongFunction<WorkerCounters> what) {
    return dataplane.crew().counters().stream().mapToLong(what).sum();
  }
}
