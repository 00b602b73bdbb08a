package io.gatun.agent.explain;

import io.gatun.control.document.Addresses;
import io.gatun.ffm.memory.Memory;
import io.gatun.fib.Fib;
import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowCopy;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.FragmentTable;
import io.gatun.flow.Ticks;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.DataPath;
import io.gatun.service.Decision;
import io.gatun.service.FrontKey;
import io.gatun.service.FrontSpec;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
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
  private final FragmentTable fragments = new FragmentTable(); // never any
  private final Decision decision = new Decision();
  private final SynthesizedPacket packet = new SynthesizedPacket();
  private final PacketVector v = new PacketVector();
  private final DataPath path;
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
    path =
        DataPath.explaining(
            new DataPath.Tables(fib, scratch, fragments, services, masquerade), decision, clock);
  }

  /** What would become of the flow now. */
  public Explanation explain(FlowQuery query) {
    if (neverOurs(query)) {
      return kernels(
          query, "local", "loopback and link-local addresses are left to the node's own stack");
    }
    if (query.dst().isMulticastAddress()) {
      return kernels(query, "route", "groups are left to the kernel");
    }
    Chain chain = new Chain();
    decision.clear();
    v.size = 0;
    int length = packet.write(query);
    v.append(packet.frame(), packet.address(), length, inPort(query, chain));
    FlowCopy known = null;
    boolean decided = false;
    for (DataPath.Step step : path.steps()) {
      boolean goesOn = v.verdict[0] == Verdict.CONTINUE;
      if (step.name().equals(DataPath.SERVICE)) {
        decided = goesOn;
        known = goesOn ? known() : null;
      } else if (step.name().equals(DataPath.ROUTE)) {
        if (!goesOn) {
          break; // an answer's way is not what is asked for
        }
        Translated translated = translated();
        step.stage().process(v);
        if (translated.flow != 0) {
          scratch.remove(translated.flow);
        }
        return forwarded(query, translated, known, chain);
      }
      step.stage().process(v);
    }
    return ended(query, decided, chain);
  }

  /** What stays on the loopback, and what the stub leaves to the kernel on every interface. */
  private static boolean neverOurs(FlowQuery query) {
    return query.src().isLoopbackAddress()
        || query.dst().isLoopbackAddress()
        || (query.ipv6() && (query.src().isLinkLocalAddress() || query.dst().isLinkLocalAddress()));
  }

  private static Explanation kernels(FlowQuery query, String verdict, String step) {
    String source = Addresses.text(query.src());
    return Explanation.nowhere(query.id(), verdict, null, null, source, List.of(step));
  }

  /** The number of the port that the flow comes by. */
  int inPort(FlowQuery query, Chain chain) {
    String in = query.in();
    if (in != null) {
      int port = surroundings.port(in);
      chain.in(in, port != Surroundings.NO_PORT);
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
    return flows == null
        ? null
        : flows.copy(
            address(true),
            address(false),
            v.ports[0],
            v.protocol[0],
            Ticks.ofNanos(clock.getAsLong()));
  }

  /** The packet as it is about to be routed, and its flow's entry, 0 for none. */
  private record Translated(InetAddress source, InetAddress destination, int port, long flow) {}

  private Translated translated() {
    return new Translated(address(true), address(false), v.ports[0] & 0xFFFF, v.flow[0]);
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

  /**
   * Dropped, rejected or answered before routing.
   *
   * @param decided by the Service stage, not by one before it
   */
  private Explanation ended(FlowQuery query, boolean decided, Chain chain) {
    if (decision.echo) {
      chain.say("echo request to a Service's address: answered by this node");
      return Explanation.nowhere(query.id(), "local", null, null, null, chain.lines());
    }
    FrontSpec front = front(query);
    if (decided) {
      chain.front(query, front, decision);
    }
    boolean rejected = v.verdict[0] == Verdict.ANSWER;
    DropReason reason = DropReason.of(v.dropReason[0]);
    if (rejected) {
      chain.rejected(reason);
    } else {
      chain.dropped(reason);
    }
    return Explanation.nowhere(
        query.id(), rejected ? "reject" : "drop", reason.name(), front, null, chain.lines());
  }

  /** Past the Service stage: translated or not, and routed. */
  private Explanation forwarded(
      FlowQuery query, Translated packet, @Nullable FlowCopy known, Chain chain) {
    FrontSpec front = front(query);
    chain.front(query, front, decision);
    InetAddress destination = packet.destination;
    List<String> candidates = List.of();
    String endpoint = null;
    boolean masquerade = decision.masquerade;
    String seen =
        masquerade && !surroundings.sourceKnown(query.ipv6())
            ? null
            : Addresses.text(packet.source);
    if (front != null || (known != null && known.service() != 0)) {
      candidates = decision.candidates().stream().map(Addresses::text).sorted().toList();
      endpoint = Addresses.text(new InetSocketAddress(destination, packet.port));
      chain.say("candidates: " + candidates.size());
    }
    if (known != null) {
      destination = known.endpoint();
      endpoint = Addresses.text(new InetSocketAddress(known.endpoint(), known.endpointPort()));
      masquerade = !known.source().equals(known.client());
      seen = Addresses.text(new InetSocketAddress(known.source(), known.sourcePort()));
      chain.known(known);
    } else if (endpoint != null) {
      chain.endpoint(endpoint, decision.affinity);
    }
    if (masquerade) {
      chain.masquerade(decision, seen);
    }
    Surroundings.Way way = surroundings.way(destination);
    boolean translated = endpoint != null;
    // The vector holds the packet, or what the route stage answered it with.
    boolean lost = v.verdict[0] == Verdict.DROP || (v.flags[0] & PacketVector.ICMP_ERROR) != 0;
    boolean own = way != null && way.own() || (v.verdict[0] == Verdict.HOST && !lost);
    DropReason reason = lost ? lost(chain) : null;
    if (own) {
      chain.own(destination);
    } else if (way != null) {
      chain.way(way);
    }
    return new Explanation(
        query.id(),
        reason != null ? "drop" : translated ? "forward" : own ? "local" : "route",
        reason == null ? null : reason.name(),
        Explanation.service(front),
        Explanation.frontend(front),
        candidates,
        endpoint,
        decision.affinity,
        masquerade,
        seen,
        way == null || (own && !translated)
            ? null
            : new Explanation.Route(way.prefix(), way.via(), way.dev(), way.mtu()),
        own || way == null ? null : way.tunnel(),
        chain.lines());
  }

  /** Why the route stage dropped the packet; null where that says nothing about the real node. */
  private @Nullable DropReason lost(Chain chain) {
    DropReason reason = DropReason.of(v.dropReason[0]);
    if (!surroundings.allRoutesKnown() && reason == DropReason.NO_NEIGHBOUR) {
      chain.say("neighbour: not known here, a node asks for it");
      return null;
    }
    if (!surroundings.allRoutesKnown() && reason == DropReason.NO_ROUTE) {
      chain.say("route: none known here, a node has those of its kernel too");
      return null;
    }
    chain.dropped(reason);
    return reason;
  }

  private @Nullable FrontSpec front(FlowQuery query) {
    return decision.front
        ? services.front(new FrontKey(query.dst(), query.protocol(), query.dstPort()))
        : null;
  }

  @Override
  public void close() {
    packet.close();
    fragments.close();
    scratch.close();
  }
}
