package io.gatun.agent.explain;

import io.gatun.control.document.Addresses;
import io.gatun.control.model.Protocol;
import io.gatun.flow.FlowCopy;
import io.gatun.pipeline.DropReason;
import io.gatun.service.Decision;
import io.gatun.service.FrontSpec;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The chain of decisions on one flow, a line for people each; for one thread. */
final class Chain {
  private final List<String> lines = new ArrayList<>();

  List<String> lines() {
    return List.copyOf(lines);
  }

  void say(String line) {
    lines.add(line);
  }

  void in(String name, boolean known) {
    say("in: " + name + (known ? "" : ", no port of this node"));
  }

  /** Whose front the packet is for, and what counts there. */
  void front(FlowQuery query, @Nullable FrontSpec front, Decision decision) {
    if (front == null) {
      String address = Addresses.text(query.dst());
      say(
          decision.serviceAddress
              ? "front: " + address + " has no such port"
              : "front: none, no Service has " + address);
      return;
    }
    say(
        "front: %s %s/%s of %s"
            .formatted(
                front.kind().label(),
                Addresses.text(new InetSocketAddress(front.address(), front.port())),
                Protocol.word(front.protocol()),
                front.service()));
    say(
        "client: "
            + switch (decision.client) {
              case NODE -> "this node itself";
              case POD -> "a pod of this node";
              case OUTSIDE -> "not of this node";
            });
    if (!front.sourceRanges().isEmpty()) {
      say("source ranges: " + String.join(", ", front.sourceRanges()));
    }
    say(
        "policy: "
            + (decision.policyLocal ? "Local" : "Cluster")
            + (decision.shortCircuit ? ", short circuit for this node's own traffic" : ""));
  }

  void known(FlowCopy flow) {
    say("flow: there is one in state " + flow.state() + ", it keeps its endpoint");
  }

  void endpoint(String endpoint, boolean affinity) {
    say("endpoint: " + endpoint + (affinity ? ", by session affinity" : ", by choice"));
  }

  /** {@code seen} by the endpoint; null where nobody knows here. */
  void masquerade(Decision decision, @Nullable String seen) {
    say(
        "masquerade: "
            + why(decision)
            + "; the endpoint sees "
            + (seen == null ? "the node's address, which is not known here" : seen));
  }

  private static String why(Decision decision) {
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

  void own(InetAddress destination) {
    say("route: " + Addresses.text(destination) + " is this node's own address");
  }

  void way(Surroundings.Way way) {
    String via = way.via() == null ? "" : " via " + way.via();
    say("route: " + way.prefix() + via + " dev " + way.dev() + " mtu " + way.mtu());
    Explanation.Tunnel tunnel = way.tunnel();
    if (tunnel != null) {
      say("tunnel: VXLAN network " + tunnel.vni() + " to node " + tunnel.remote());
    }
  }

  void dropped(DropReason reason) {
    say("dropped: " + reason.meaning());
  }

  void rejected(DropReason reason) {
    say("rejected with ICMP port unreachable: " + reason.meaning());
  }
}
