package io.gatun.port;

import io.gatun.packet.PacketBuilder;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What of an uplink's frames is ours and what the node's own, whichever driver it has: frames to a
 * node with one address and some claimed ports.
 */
public final class UplinkCases {
  /** A frame to the uplink's own MAC, and whether it is ours. */
  public record Case(String what, boolean ours, PacketBuilder builder) {
    public byte[] frame() {
      return builder.bytes();
    }
  }

  public static final PortSet CLAIMS =
      new PortSet().add(6, 30_080).add(17, 30_053).add(6, 61_000, 65_535);

  private final List<Case> cases = new ArrayList<>();
  private final long from;
  private final long to;

  private UplinkCases(long from, long to) {
    this.from = from;
    this.to = to;
  }

  public static Set<InetAddress> addresses(String node) {
    return Set.of(InetAddress.ofLiteral(node));
  }

  private void hosts(String what, PacketBuilder frame) {
    cases.add(new Case(what, false, frame.macs(from, to)));
  }

  private void ours(String what, PacketBuilder frame) {
    cases.add(new Case(what, true, frame.macs(from, to)));
  }

  /**
   * The node has {@code node} and claims {@link #CLAIMS}.
   *
   * @param from the sender's MAC
   * @param to the uplink's
   */
  public static List<Case> of(String client, String node, String pod, long from, long to) {
    UplinkCases all = new UplinkCases(from, to);
    all.fill(client, node, pod);
    return all.cases;
  }

  private void fill(String client, String node, String pod) {
    boolean six = node.contains(":");
    Supplier<PacketBuilder> toNode = () -> PacketBuilder.ip(client, node);
    hosts("ssh", toNode.get().tcp(40_000, 22));
    hosts("port below a claimed one", toNode.get().tcp(40_000, 30_079));
    hosts("port above a claimed one", toNode.get().tcp(40_000, 30_081));
    hosts("a claimed port of another protocol", toNode.get().udp(40_000, 30_080));
    hosts("SCTP", toNode.get().sctp(1, 30_080));
    hosts("echo", toNode.get().echo(1, 1));
    hosts("echo reply", toNode.get().icmp(six ? 129 : 0, 0, 0));
    ours("a masqueraded echo's", toNode.get().icmp(six ? 129 : 0, 0, 61_000 << 16 | 1));
    hosts("the host's echo's", toNode.get().icmp(six ? 129 : 0, 0, 4711 << 16 | 1));
    ours("node port", toNode.get().tcp(40_000, 30_080));
    ours("node port, UDP", toNode.get().udp(40_000, 30_053));
    ours("masqueraded, first", toNode.get().tcp(80, 61_000));
    ours("masqueraded, last", toNode.get().tcp(80, 65_535));
    hosts("below the masqueraded", toNode.get().tcp(80, 60_999));
    int[] errors = six ? new int[] {1, 2, 3, 4} : new int[] {3, 4, 11, 12};
    for (int type : errors) {
      ours("ICMP error " + type, toNode.get().icmp(type, 0, 0).payload(40));
    }
    ours("first fragment", toNode.get().udp(1, 53).fragment(0, true).payload(16));
    ours("later fragment", toNode.get().udp(1, 53).fragment(16, false).payload(16));
    ours("first fragment, TCP", toNode.get().tcp(40_000, 22).fragment(0, true).payload(16));
    ours("to a pod", PacketBuilder.ip(client, pod).tcp(40_000, 22));
    if (six) {
      hosts("to a group", PacketBuilder.ip(client, "ff05::5").udp(1, 2));
    } else {
      ours("options", toNode.get().tcp(40_000, 22).options(8));
      ours("options, claimed", toNode.get().tcp(40_000, 30_080).options(40));
      hosts("redirect", toNode.get().icmp(5, 1, 0).payload(28));
      hosts("OSPF to a group", PacketBuilder.ip(client, "224.0.0.5").tcp(1, 2));
      hosts("an offered address", PacketBuilder.ip(client, "10.0.0.77").udp(67, 68));
      ours("to a pod's UDP", PacketBuilder.ip(client, pod).udp(67, 69));
      ours("to a pod's TCP", PacketBuilder.ip(client, pod).tcp(67, 68));
    }
  }
}
