package io.gatun.agent.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.agent.explain.Explainer;
import io.gatun.agent.explain.Explanation;
import io.gatun.agent.explain.FlowQuery;
import io.gatun.agent.explain.Surroundings;
import io.gatun.control.document.Addresses;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.kernel.KernelTables;
import io.gatun.control.kernel.RouteView;
import io.gatun.control.kernel.TunnelView;
import io.gatun.ffm.Libc;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code explain} about the running node. Questions come from any thread and are answered on the
 * control thread, one flow at a time between its other work: it is the tables' writer, so nothing
 * is freed under the explainer.
 */
final class LiveNode implements Surroundings {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long PATIENCE_SECONDS = 10;

  /** {@code lo}'s, linux/if_arp.h: what a local route says. */
  private static final int LOOPBACK_MTU = 65_536;

  private final KernelMirror mirror;
  private final Supplier<List<Interfaces.Taken>> interfaces;
  private final Explainer explainer;

  LiveNode(Dataplane dataplane, KernelMirror mirror, Supplier<List<Interfaces.Taken>> interfaces) {
    this.mirror = mirror;
    this.interfaces = interfaces;
    explainer =
        new Explainer(
            dataplane.tables().services(),
            dataplane.tables().fib(),
            dataplane.tables().sources(),
            this,
            dataplane.tables().flows(),
            Libc::monotonicNanos);
  }

  /** Answers a JSON array of flows with an array of explanations, in the same order. */
  Object explain(String flows) {
    List<Object> answers = new ArrayList<>();
    try {
      for (JsonNode flow : JSON.readTree(flows)) {
        FlowQuery query = FlowQuery.of(flow, "");
        answers.add(
            mirror
                .ask(() -> explainer.explain(query).json())
                .get(PATIENCE_SECONDS, TimeUnit.SECONDS));
      }
      return answers;
    } catch (JsonProcessingException | IllegalArgumentException e) {
      return Map.of("error", "explain: " + e.getMessage());
    } catch (ExecutionException | TimeoutException e) {
      return Map.of("error", "explain: the control thread did not answer: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Map.of("error", "explain: interrupted");
    }
  }

  @Override
  public int port(String name) {
    for (Interfaces.Taken taken : interfaces.get()) {
      if (taken.port().name().equals(name)) {
        return taken.port().number();
      }
    }
    return NO_PORT;
  }

  @Override
  public boolean allRoutesKnown() {
    return true;
  }

  @Override
  public @Nullable Way way(InetAddress address) {
    RouteView route = mirror.route(address);
    if (route == null) {
      return null;
    }
    String prefix = route.prefix().toString();
    if (route.kind() == RouteView.Kind.LOCAL) {
      return new Way(prefix, null, "lo", NO_PORT, LOOPBACK_MTU, true, null);
    }
    if (route.ways().isEmpty()) {
      return null;
    }
    RouteView.Way way = route.ways().getFirst();
    InetAddress via = way.via();
    String port = way.port();
    TunnelView tunnel = way.tunnel();
    return new Way(
        prefix,
        via == null || via.equals(address) ? null : Addresses.text(via),
        way.dev(),
        port == null ? NO_PORT : port(port),
        tunnel == null ? mtu(way.dev()) : tunnel.mtu(),
        false,
        tunnel == null
            ? null
            : new Explanation.Tunnel(tunnel.vni(), Addresses.text(tunnel.remote())));
  }

  private int mtu(String device) {
    for (KernelTables.Link link : mirror.links()) {
      if (link.name().equals(device)) {
        return link.mtu();
      }
    }
    return 0;
  }
}
