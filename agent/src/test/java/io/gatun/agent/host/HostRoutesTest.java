package io.gatun.agent.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.control.document.Prefix;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class HostRoutesTest {
  private static final InetAddress NODE = InetAddress.ofLiteral("192.168.0.2");
  private static final InetAddress NODE6 = InetAddress.ofLiteral("fd00::2");
  private static final Prefix SERVICES = new Prefix(InetAddress.ofLiteral("10.96.0.0"), 12);
  private static final Prefix POD = Prefix.of(InetAddress.ofLiteral("10.1.0.5"));

  private final HostRoutes routes = new HostRoutes(new HostPair("gatun0"));

  private static FrontSpec front(
      FrontKind kind, String address, int port, String endpoint, boolean masquerade) {
    return front(6, kind, address, port, endpoint, masquerade);
  }

  private static FrontSpec front(
      int protocol, FrontKind kind, String address, int port, String endpoint, boolean masquerade) {
    var to = new InetSocketAddress(InetAddress.ofLiteral(endpoint), 6443);
    return new FrontSpec(
        "default/x",
        kind,
        InetAddress.ofLiteral(address),
        protocol,
        port,
        List.of(to),
        false,
        masquerade);
  }

  private List<String> lines(List<InetAddress> primary, FrontSpec... fronts) {
    var node = new HostView(primary, Set.of(NODE, NODE6), List.of(SERVICES), List.of(POD));
    return routes.settings(node, List.of(fronts)).stream()
        .map(Setting::add)
        .map(line -> line.replace(" protocol 103", ""))
        .toList();
  }

  @Test
  void shouldLeadOnlyTheHostsOwnTrafficToServices() {
    List<String> lines =
        lines(List.of(NODE), front(FrontKind.CLUSTER_IP, "10.96.0.1", 443, "10.1.0.5", false));
    String way = "via 169.254.103.2 dev gatun0 onlink src 192.168.0.2";
    assertEquals(
        List.of(
            "rule add pref 80 iif gatun0-dp to 10.96.0.0/12 unreachable",
            "route replace blackhole 169.254.103.2/32",
            "route replace 169.254.103.2/32 dev gatun0 src 192.168.0.2 table 10300",
            "route replace default " + way + " table 10301",
            "route replace 10.96.0.0/12 " + way + " table 10300",
            "rule add pref 100 lookup local",
            "rule del pref 0 lookup local",
            "rule add pref 101 iif lo lookup 10300"),
        lines.subList(1, lines.size()));
    assertTrue(lines.getFirst().startsWith("link add gatun0 "), lines.getFirst());
  }

  @Test
  void shouldLeadNothingFromAnAddressThatTheNodeDoesNotHave() {
    InetAddress elsewhere = InetAddress.ofLiteral("192.168.0.3");
    FrontSpec front = front(FrontKind.CLUSTER_IP, "203.0.113.7", 443, "10.1.0.5", false);
    List<String> lines = lines(List.of(elsewhere, NODE6), front);
    assertTrue(lines.stream().noneMatch(line -> line.contains("192.168.0.3")), lines.toString());
    assertTrue(lines.stream().anyMatch(line -> line.contains("src fd00:0:0:0:0:0:0:2")));
    var node = new HostView(List.of(elsewhere, NODE6), Set.of(NODE, NODE6), List.of(), List.of());
    assertEquals(List.of(elsewhere), node.missing());
  }

  @Test
  void shouldLeadNodePortsAndAddressesOutsideTheServiceRange() {
    List<String> lines =
        lines(
            List.of(NODE),
            front(FrontKind.NODE_PORT, "192.168.0.2", 30443, "10.1.0.5", true),
            front(FrontKind.EXTERNAL_IP, "203.0.113.7", 443, "10.1.0.5", true));
    assertTrue(
        lines.contains(
            "rule add pref 90 iif lo to 192.168.0.2 ipproto tcp dport 30443-30443 lookup 10301"),
        lines.toString());
    assertTrue(
        lines.stream().anyMatch(line -> line.startsWith("route replace 203.0.113.7/32 via ")),
        lines.toString());
    assertTrue(lines.stream().noneMatch(line -> line.contains("sport")), lines.toString());
  }

  @Test
  void shouldBringBackRepliesOfServersOfTheNode() {
    String server = "iif lo from 192.168.0.2 ipproto tcp sport 6443 lookup ";
    List<String> lines =
        lines(List.of(NODE), front(FrontKind.CLUSTER_IP, "10.96.0.1", 443, "192.168.0.2", false));
    assertTrue(lines.contains("rule add pref 102 " + server + 10302), lines.toString());
    assertTrue(
        lines.stream().anyMatch(line -> line.matches("route replace 10.1.0.5/32 .* table 10302")),
        lines.toString());
    assertTrue(lines.stream().noneMatch(line -> line.contains("pref 103")), lines.toString());
    List<String> kept =
        lines(
            List.of(NODE), front(FrontKind.NODE_PORT, "192.168.0.2", 30443, "192.168.0.2", false));
    assertTrue(kept.contains("rule add pref 103 " + server + 10301), kept.toString());
  }

  /** A server of UDP that is bound to no address has none when the way of its reply is chosen. */
  @Test
  void shouldBringBackRepliesOfUdpServersThatAreBoundToNoAddress() {
    String rule = "rule add pref 102 iif lo ipproto udp sport 6443 lookup 10302";
    List<String> lines =
        lines(
            List.of(NODE), front(17, FrontKind.CLUSTER_IP, "10.96.0.1", 53, "192.168.0.2", false));
    assertTrue(lines.contains(rule), lines.toString());
  }

  @Test
  void shouldSetNothingForAFamilyThatTheNodeHasNot() {
    assertTrue(lines(List.of(NODE)).stream().noneMatch(line -> line.contains("fd67")));
    List<Setting> both =
        routes.settings(
            new HostView(List.of(NODE, NODE6), Set.of(NODE, NODE6), List.of(), List.of()),
            List.of());
    assertTrue(both.stream().anyMatch(Setting::ipv6));
  }
}
