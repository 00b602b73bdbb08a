package io.gatun.agent.explain;

import io.gatun.control.document.Addresses;
import io.gatun.control.model.Protocol;
import io.gatun.ffm.memory.Memory;
import io.gatun.fib.Fib;
import io.gatun.fib.RouteStage;
import io.gatun.fib.SourceStage;
import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowCopy;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.RewriteStage;
import io.gatun.flow.TrackStage;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.Decision;
import io.gatun.service.FrontKey;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import io.gatun.service.ServiceStage;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends a flow's first packet through the worker's stages and tells what they did. For one thread,
 * which has to be a reader of the tables' quiescence when others write them.
 */
public final class Explainer implements AutoCloseable {
  private static final int SCRATCH_FLOWS = 1024;

  private final ServiceTable services;
  private final Surroundings surroundings;
  private final @Nullable FlowTable live;
  private final FlowTable scratch;
  private final Decision decision = new Decision();
  private final SynthesizedPacket packet = new SynthesizedPacket();
  private final PacketVector v = new PacketVector();
  private final ParseStage parse = new ParseStage();
  private final SourceStage sources;
  private final TrackStage track;
  private final ServiceStage service;
  private final RewriteStage rewrite = new RewriteStage();
  private final RouteStage route;
  private final LongSupplier clock;

  /**
   * Over the tables of a node.
   *
   * @param live the node's flows, which an existing flow is looked up in; null for none
   * @param clock nanoseconds of CLOCK_MONOTONIC
   */
  public Explainer(
      ServiceTable services,
      Fib fib,
      SourceAddresses masquerade,
      Surroundings surroundings,
      @Nullable FlowTable live,
      LongSupplier clock) {
    this.services = services;
    this.surroundings = surroundings;
    this.live = live;
    this.clock = clock;
    scratch = new FlowTable(SCRATCH_FLOWS, FlowTimeouts.defaults(), new Qsbr(1));
    sources = new SourceStage(fib);
    track = new TrackStage(scratch, clock);
    Answers answers = new Answers();
    service = ServiceStage.explaining(services, scratch, masquerade, track, answers, decision);
    route = new RouteStage(fib, answers);
  }

  /** What would become of the flow now. */
  public Explanation explain(FlowQuery query) {
    List<String> steps = new ArrayList<>();
    if (neverOurs(query)) {
      return kernels(
          query, "local", "loopback and link-local addresses are left to the node's own stack");
    }
    if (query.dst().isMulticastAddress()) {
      return kernels(query, "route", "groups are left to the kernel");
    }
    decision.clear();
    v.size = 0;
    int length = packet.write(query);
    int inPort = inPort(query, steps);
    v.append(packet.frame(), packet.address(), length, inPort);
    parse.process(v);
    sources.process(v);
    if (v.verdict[0] != Verdict.CONTINUE) {
      return refused(query, steps);
    }
    track.process(v);
    FlowCopy known = known();
    service.process(v);
    rewrite.process(v);
    int verdict = v.verdict[0];
    if (verdict == Verdict.CONTINUE) {
      InetAddress source = address(true);
      InetAddress destination = address(false);
      int ports = v.ports[0];
      long flow = v.flow[0];
      route.process(v);
      if (flow != 0) {
        scratch.remove(flow);
      }
      return forwarded(query, source, destination, ports, known, steps);
    }
    return ended(query, verdict, steps);
  }

  /** What stays on the loopback, and what the stub leaves to the kernel on every interface. */
  private static boolean neverOurs(FlowQuery query) {
    return query.src().isLoopbackAddress()
        || query.dst().isLoopbackAddress()
        || (query.ipv6() && (query.src().isLinkLocalAddress() || query.dst().isLinkLocalAddress()));
  }

  private static Explanation kernels(FlowQuery query, String verdict, String step) {
    return new Explanation(
        query.id(),
        verdict,
        null,
        null,
        null,
        List.of(),
        null,
        false,
        false,
        Addresses.text(query.src()),
        null,
        null,
        List.of(step));
  }

  /** The number of the port that the flow comes by. */
  int inPort(FlowQuery query, List<String> steps) {
    String in = query.in();
    if (in != null) {
      int port = surroundings.port(in);
      steps.add("in: " + in + (port == Surroundings.NO_PORT ? ", no port of this node" : ""));
      return port;
    }
    Surroundings.Way way = surroundings.way(query.src());
    return way == null || way.own() || services.contradicts(way.port(), query.src())
        ? Surroundings.NO_PORT
        : way.port();
  }

  /** The live flow of the packet that has just been tracked. */
  private @Nullable FlowCopy known() {
    FlowTable flows = live;
    if (flows == null || v.verdict[0] != Verdict.CONTINUE) {
      return null;
    }
    return flows.copy(
        address(true),
        address(false),
        v.ports[0],
        v.protocol[0],
        io.gatun.flow.Ticks.ofNanos(clock.getAsLong()));
  }

  private InetAddress address(boolean source) {
    long l3 = v.address[0] + v.l3[0];
    if ((v.flags[0] & PacketVector.IPV6) != 0) {
      long at = l3 + (source ? Ipv6.SOURCE : Ipv6.DESTINATION);
      return AddressWords.address(true, Memory.getLongBe(at), Memory.getLongBe(at + 8));
    }
    int word = Memory.getIntBe(l3 + (source ? Ipv4.SOURCE : Ipv4.DESTINATION));
    return AddressWords.address(false, 0, word & 0xFFFFFFFFL);
  }

  /** Dropped before anybody looked where it was going. */
  private Explanation refused(FlowQuery query, List<String> steps) {
    String reason = String.valueOf(reason(v.dropReason[0]));
    steps.add("dropped: " + DropReason.valueOf(reason).meaning());
    return new Explanation(
        query.id(),
        "drop",
        reason,
        null,
        null,
        List.of(),
        null,
        false,
        false,
        null,
        null,
        null,
        steps);
  }

  /** Dropped, rejected or answered before routing. */
  private Explanation ended(FlowQuery query, int verdict, List<String> steps) {
    FrontSpec front = front(query);
    boolean answered = verdict == Verdict.ANSWER;
    if (answered && decision.echo) {
      front = null;
      steps.add("echo request to a Service's address: answered by this node");
    } else {
      describe(query, front, steps);
    }
    String reason = answered && decision.echo ? null : reason(v.dropReason[0]);
    if (reason != null) {
      steps.add(
          (answered ? "rejected with ICMP port unreachable: " : "dropped: ")
              + DropReason.valueOf(reason).meaning());
    }
    return new Explanation(
        query.id(),
        answered ? decision.echo ? "local" : "reject" : "drop",
        reason,
        serviceOf(front),
        front == null ? null : front.kind().label(),
        List.of(),
        null,
        false,
        false,
        null,
        null,
        null,
        steps);
  }

  private static @Nullable String reason(int code) {
    for (DropReason reason : DropReason.values()) {
      if (reason.code() == code) {
        return reason.name();
      }
    }
    return null;
  }

  /** Past the Service stage: translated or not, and routed. */
  private Explanation forwarded(
      FlowQuery query,
      InetAddress source,
      InetAddress destination,
      int ports,
      @Nullable FlowCopy known,
      List<String> steps) {
    FrontSpec front = front(query);
    describe(query, front, steps);
    List<String> candidates = List.of();
    String endpoint = null;
    boolean masquerade = decision.masquerade;
    String seen =
        masquerade && !surroundings.sourceKnown(query.ipv6()) ? null : Addresses.text(source);
    if (front != null || (known != null && known.service() != 0)) {
      candidates = decision.candidates().stream().map(Addresses::text).sorted().toList();
      endpoint = Addresses.text(new InetSocketAddress(destination, ports & 0xFFFF));
      steps.add("candidates: " + candidates.size());
    }
    if (known != null) {
      destination = known.endpoint();
      endpoint = Addresses.text(new InetSocketAddress(known.endpoint(), known.endpointPort()));
      masquerade = !known.source().equals(known.client());
      seen = Addresses.text(new InetSocketAddress(known.source(), known.sourcePort()));
      steps.add("flow: there is one in state " + known.state() + ", it keeps its endpoint");
    } else if (endpoint != null) {
      steps.add(
          "endpoint: " + endpoint + (decision.affinity ? ", by session affinity" : ", by choice"));
    }
    if (masquerade) {
      steps.add(
          "masquerade: "
              + why()
              + "; the endpoint sees "
              + (seen == null ? "the node's address, which is not known here" : seen));
    }
    Surroundings.Way way = surroundings.way(destination);
    boolean translated = endpoint != null;
    // The vector holds the packet, or what the route stage answered it with.
    boolean lost = v.verdict[0] == Verdict.DROP || (v.flags[0] & PacketVector.ICMP_ERROR) != 0;
    boolean own = way != null && way.own() || (v.verdict[0] == Verdict.HOST && !lost);
    String verdict = translated ? "forward" : own ? "local" : "route";
    String reason = null;
    if (lost) {
      reason = lost(steps);
      verdict = reason == null ? verdict : "drop";
    }
    if (own) {
      steps.add("route: " + Addresses.text(destination) + " is this node's own address");
    } else if (way != null) {
      steps.add(
          "route: "
              + way.prefix()
              + (way.via() == null ? "" : " via " + way.via())
              + " dev "
              + way.dev()
              + " mtu "
              + way.mtu());
      Explanation.Tunnel tunnel = way.tunnel();
      if (tunnel != null) {
        steps.add("tunnel: VXLAN network " + tunnel.vni() + " to node " + tunnel.remote());
      }
    }
    return new Explanation(
        query.id(),
        verdict,
        reason,
        serviceOf(front),
        front == null ? null : front.kind().label(),
        candidates,
        endpoint,
        decision.affinity,
        masquerade,
        seen,
        way == null || (own && !translated)
            ? null
            : new Explanation.Route(way.prefix(), way.via(), way.dev(), way.mtu()),
        own || way == null ? null : way.tunnel(),
        steps);
  }

  /** Why the route stage dropped the packet; null where that says nothing about the real node. */
  private @Nullable String lost(List<String> steps) {
    int code = v.dropReason[0];
    boolean neighbour = code == DropReason.NO_NEIGHBOUR.code();
    boolean noRoute = code == DropReason.NO_ROUTE.code();
    if ((neighbour || noRoute) && !surroundings.allRoutesKnown()) {
      steps.add(
          neighbour
              ? "neighbour: not known here, a node asks for it"
              : "route: none known here, a node has those of its kernel too");
      return null;
    }
    String reason = reason(code);
    if (reason != null) {
      steps.add("dropped: " + DropReason.valueOf(reason).meaning());
    }
    return reason;
  }

  private String why() {
    if (decision.egress) {
      return "a pod leaves the pod networks";
    }
    if (decision.hairpin) {
      return "the client is the endpoint (hairpin)";
    }
    return decision.shortCircuit
        ? "the node's own traffic to an external front"
        : "by the front's policy";
  }

  private @Nullable FrontSpec front(FlowQuery query) {
    boolean ports = query.protocol() != IpProtocol.ICMP && query.protocol() != IpProtocol.ICMPV6;
    return ports && decision.front
        ? services.front(new FrontKey(query.dst(), query.protocol(), query.dstPort()))
        : null;
  }

  /** A host port is a pod's, no Service's. */
  private static @Nullable String serviceOf(@Nullable FrontSpec front) {
    return front == null || front.kind() == FrontKind.HOST_PORT ? null : front.service();
  }

  private void describe(FlowQuery query, @Nullable FrontSpec front, List<String> steps) {
    if (front == null) {
      steps.add(
          decision.serviceAddress
              ? "front: " + Addresses.text(query.dst()) + " has no such port"
              : "front: none, no Service has " + Addresses.text(query.dst()));
      return;
    }
    steps.add(
        "front: %s %s/%s of %s"
            .formatted(
                front.kind().label(),
                Addresses.text(new InetSocketAddress(front.address(), front.port())),
                Protocol.word(front.protocol()),
                front.service()));
    steps.add(
        "client: "
            + switch (decision.client) {
              case NODE -> "this node itself";
              case POD -> "a pod of this node";
              case OUTSIDE -> "not of this node";
            });
    if (!front.sourceRanges().isEmpty()) {
      steps.add("source ranges: " + String.join(", ", front.sourceRanges()));
    }
    steps.add(
        "policy: "
            + (decision.policyLocal ? "Local" : "Cluster")
            + (decision.shortCircuit ? ", short circuit for this node's own traffic" : ""));
  }

  static String protocol(int number) {
    return number == IpProtocol.ICMP || number == IpProtocol.ICMPV6
        ? "ICMP"
        : Protocol.word(number);
  }

  @Override
  public void close() {
    packet.close();
    scratch.close();
  }
}
