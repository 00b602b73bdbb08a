package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.flow.FlowState;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.FragmentStage;
import io.gatun.flow.FragmentTable;
import io.gatun.flow.RewriteStage;
import io.gatun.flow.TrackStage;
import io.gatun.packet.Frame;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.qsbr.Qsbr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServicePathTest {
  private static final int TCP = 6;
  private static final int UDP = 17;

  private final Qsbr qsbr = new Qsbr(1);
  private final FlowTable flows = new FlowTable(1000, FlowTimeouts.defaults(), qsbr);
  private final ServiceTable services = new ServiceTable(flows, qsbr);
  private final SourceAddresses sources = new SourceAddresses();
  private long nanos = 1L << 40;
  private final ParseStage parse = new ParseStage(false, true);
  private final TrackStage track = new TrackStage(flows, () -> nanos);
  private final ServiceStage service =
      new ServiceStage(services, flows, sources, track, new Answers());
  private final RewriteStage rewrite = new RewriteStage();
  private final PacketVector v = new PacketVector();

  @AfterEach
  void close() {
    services.close();
    flows.close();
  }

  private byte[] pass(PacketBuilder packet) {
    try (Frame frame = Frame.of(packet.bytes(), 256)) {
      v.size = 0;
      v.append(frame.start(), frame.address(), frame.length(), 1);
      parse.process(v);
      track.process(v);
      service.process(v);
      rewrite.process(v);
      return frame.bytes();
    }
  }

  private void assertPasses(PacketBuilder in, PacketBuilder expected) {
    byte[] out = pass(in);
    assertEquals(Verdict.CONTINUE, v.verdict[0], () -> "drop reason " + v.dropReason[0]);
    assertEquals(Frame.hex(expected.bytes()), Frame.hex(out));
  }

  private void assertDrops(DropReason reason, PacketBuilder in) {
    byte[] before = in.bytes();
    assertArrayEquals(before, pass(in));
    assertEquals(Verdict.DROP, v.verdict[0]);
    assertEquals(reason.code(), v.dropReason[0]);
  }

  private void assertAnswers(DropReason reason, PacketBuilder in) {
    pass(in);
    assertEquals(Verdict.ANSWER, v.verdict[0]);
    assertEquals(reason.code(), v.dropReason[0]);
  }

  private static FrontSpec front(
      String address, int protocol, boolean masquerade, String... endpoints) {
    List<InetSocketAddress> list =
        java.util.Arrays.stream(endpoints)
            .map(e -> new InetSocketAddress(InetAddress.ofLiteral(e), 8080))
            .toList();
    return new FrontSpec(
        "default/web:http",
        FrontKind.CLUSTER_IP,
        InetAddress.ofLiteral(address),
        protocol,
        80,
        list,
        false,
        masquerade);
  }

  private static PacketBuilder tcp(String from, int fromPort, String to, int toPort, int flags) {
    return PacketBuilder.ip(from, to).tcp(fromPort, toPort).flags(flags).payload(7);
  }

  private record Names(String client, String front, String endpoint, String node) {
    boolean ipv6() {
      return node.contains(":");
    }
  }

  private static Names names(boolean ipv6) {
    return ipv6
        ? new Names("fd00::1", "fd00:96::a", "fd00:1::9", "fd00::fe")
        : new Names("10.1.0.2", "10.96.0.10", "10.2.0.3", "192.168.0.2");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTranslateToTheEndpointAndBack(boolean ipv6) {
    Names n = names(ipv6);
    services.apply(
        List.of(front(n.front, TCP, false, n.endpoint), front(n.front, UDP, false, n.endpoint)),
        List.of());
    assertPasses(
        tcp(n.client, 4000, n.front, 80, Tcp.SYN), tcp(n.client, 4000, n.endpoint, 8080, Tcp.SYN));
    assertTrue((v.flags[0] & PacketVector.TRANSLATED) != 0);
    assertPasses(
        tcp(n.endpoint, 8080, n.client, 4000, Tcp.SYN | Tcp.ACK),
        tcp(n.front, 80, n.client, 4000, Tcp.SYN | Tcp.ACK));
    assertPasses(
        tcp(n.client, 4000, n.front, 80, Tcp.ACK).partialChecksum(),
        tcp(n.client, 4000, n.endpoint, 8080, Tcp.ACK).partialChecksum());
    assertEquals(FlowState.ESTABLISHED, flows.copies(f -> true, 1, 0).getFirst().state());
    assertPasses(
        PacketBuilder.ip(n.client, n.front).udp(53, 80).payload(3),
        PacketBuilder.ip(n.client, n.endpoint).udp(53, 8080).payload(3));
    assertPasses(
        PacketBuilder.ip(n.endpoint, n.client).udp(8080, 53).payload(3).partialChecksum(),
        PacketBuilder.ip(n.front, n.client).udp(80, 53).payload(3).partialChecksum());
    assertEquals(2, services.services().getFirst().connections());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMasqueradeWithPortsThatTheHostDoesNotUse(boolean ipv6) {
    Names n = names(ipv6);
    services.apply(List.of(front(n.front, UDP, true, n.endpoint)), List.of());
    nodeIs(n);
    sources.ports(62_000, 62_001);
    for (int k = 1; k <= 2; k++) {
      String client = n.client + k;
      pass(PacketBuilder.ip(client, n.front).udp(4000, 80));
      int port = v.ports[0] >>> 16;
      assertEquals(31_000, port >>> 1);
      assertPasses(
          PacketBuilder.ip(client, n.front).udp(4000, 80),
          PacketBuilder.ip(n.node, n.endpoint).udp(port, 8080));
      assertPasses(
          PacketBuilder.ip(n.endpoint, n.node).udp(8080, port),
          PacketBuilder.ip(n.front, client).udp(80, 4000));
    }
    assertAnswers(
        DropReason.SNAT_PORTS_EXHAUSTED, PacketBuilder.ip(n.client + 3, n.front).udp(4000, 80));
    assertEquals(100, sources.takeUsedPercent());
    assertEquals(0, sources.takeUsedPercent());
  }

  /** A connection that is over gives its port to a new one, whoever begins it; no other does. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeAPortAgainFromTimeWait(boolean ipv6) {
    Names n = names(ipv6);
    services.apply(List.of(front(n.front, TCP, true, n.endpoint)), List.of());
    nodeIs(n);
    sources.ports(62_000, 62_000);
    pass(tcp(n.client, 4000, n.front, 80, Tcp.SYN));
    pass(tcp(n.endpoint, 8080, n.node, 62_000, Tcp.SYN | Tcp.ACK));
    pass(tcp(n.client, 4000, n.front, 80, Tcp.ACK));
    assertAnswers(DropReason.SNAT_PORTS_EXHAUSTED, tcp(n.client, 4001, n.front, 80, Tcp.SYN));
    pass(tcp(n.client, 4000, n.front, 80, Tcp.ACK | Tcp.FIN));
    pass(tcp(n.endpoint, 8080, n.node, 62_000, Tcp.ACK | Tcp.FIN));
    assertAnswers(DropReason.SNAT_PORTS_EXHAUSTED, tcp(n.client, 4001, n.front, 80, Tcp.SYN));
    pass(tcp(n.client, 4000, n.front, 80, Tcp.ACK));
    assertEquals(FlowState.TIME_WAIT, flows.copies(f -> true, 1, 0).getFirst().state());
    assertPasses(
        tcp(n.client, 4001, n.front, 80, Tcp.SYN), tcp(n.node, 62_000, n.endpoint, 8080, Tcp.SYN));
    assertEquals(1, flows.size());
    assertEquals(1, flows.mostPortsUsed());
  }

  /** Every port of the range, to each endpoint anew, and no connection twice. */
  @Test
  void shouldUseEveryPortAndReuseItPerDestination() {
    services.apply(
        List.of(
            front("10.96.0.10", UDP, true, "10.2.0.3"), front("10.96.0.11", UDP, true, "10.2.0.4")),
        List.of());
    nodeIs(names(false));
    sources.ports(61_000, 61_299);
    for (String front : List.of("10.96.0.10", "10.96.0.11")) {
      java.util.Set<Integer> ports = new java.util.HashSet<>();
      for (int k = 0; k < 300; k++) {
        pass(PacketBuilder.ip("10.1.0.2", front).udp(2000 + k, 80));
        assertEquals(Verdict.CONTINUE, v.verdict[0], "flow " + k);
        assertTrue(ports.add(v.ports[0] >>> 16));
      }
      assertAnswers(
          DropReason.SNAT_PORTS_EXHAUSTED, PacketBuilder.ip("10.1.0.2", front).udp(5000, 80));
    }
    assertEquals(300, flows.mostPortsUsed());
  }

  /** Their replies come by ports of ours, so only what the host's sockets are given is left out. */
  @Test
  void shouldHaveManyPortsTowardsPodsOfThisNode() {
    services.apply(List.of(front("10.96.0.10", UDP, true, "10.1.0.3")), List.of());
    nodeIs(names(false));
    sources.ports(61_000, 61_001);
    sources.pods(List.of("10.1.0.0/16"));
    for (int k = 0; k < 900; k++) {
      pass(PacketBuilder.ip("192.0.2.1", "10.96.0.10").udp(40_000 + k, 80));
      assertEquals(Verdict.CONTINUE, v.verdict[0], "flow " + k);
      int port = v.ports[0] >>> 16;
      assertTrue(port >= 1024 && (port < 32_768 || port > 60_999), "port " + port);
    }
    pass(PacketBuilder.ip("192.0.2.1", "10.96.0.10").udp(5000, 80));
    assertEquals(5000, v.ports[0] >>> 16, "the client's own, which is free");
  }

  /** Both to one endpoint by one client port: whichever came first, replies are told apart. */
  @ParameterizedTest
  @ValueSource(strings = {"tcp", "tcp six", "udp", "udp six"})
  void shouldTellADirectConnectionFromATranslatedOneThatCameFirst(String kind) {
    Names n = names(kind.endsWith("six"));
    boolean tcp = kind.startsWith("tcp");
    services.apply(List.of(front(n.front, tcp ? TCP : UDP, false, n.endpoint)), List.of());
    pass(begin(tcp, n.client, 4000, n.front, 80));
    assertEquals(4000, v.ports[0] >>> 16);
    pass(begin(tcp, n.client, 4000, n.endpoint, 8080));
    int port = v.ports[0] >>> 16;
    assertTrue(port >= 61_000, "port " + port);
    assertPasses(
        answer(tcp, n.endpoint, 8080, n.client, port),
        answer(tcp, n.endpoint, 8080, n.client, 4000));
    assertPasses(
        answer(tcp, n.endpoint, 8080, n.client, 4000), answer(tcp, n.front, 80, n.client, 4000));
    assertEquals(2, flows.size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"tcp", "tcp six", "udp", "udp six"})
  void shouldTellADirectConnectionThatCameFirstFromATranslatedOne(String kind) {
    Names n = names(kind.endsWith("six"));
    boolean tcp = kind.startsWith("tcp");
    services.apply(List.of(front(n.front, tcp ? TCP : UDP, false, n.endpoint)), List.of());
    assertPasses(
        begin(tcp, n.client, 4000, n.endpoint, 8080), begin(tcp, n.client, 4000, n.endpoint, 8080));
    assertEquals(0, flows.size(), "what is not translated is not tracked");
    pass(begin(tcp, n.client, 4000, n.front, 80));
    int port = v.ports[0] >>> 16;
    assertTrue(port >= 61_000, "port " + port);
    assertPasses(
        answer(tcp, n.endpoint, 8080, n.client, 4000),
        answer(tcp, n.endpoint, 8080, n.client, 4000));
    assertPasses(
        answer(tcp, n.endpoint, 8080, n.client, port), answer(tcp, n.front, 80, n.client, 4000));
    pass(begin(tcp, n.client, 4000, n.endpoint, 8080));
    assertEquals(1, flows.size());
  }

  /** A restarted daemon, say, which has seen no SYN of it. */
  @Test
  void shouldKnowADirectConnectionByAnyOfItsPackets() {
    services.apply(List.of(front("10.96.0.10", TCP, false, "10.2.0.3")), List.of());
    pass(tcp("10.1.0.2", 4000, "10.2.0.3", 8080, Tcp.ACK));
    pass(tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.SYN));
    assertTrue(v.ports[0] >>> 16 >= 61_000);
  }

  private static PacketBuilder begin(boolean tcp, String from, int port, String to, int toPort) {
    return tcp
        ? tcp(from, port, to, toPort, Tcp.SYN)
        : PacketBuilder.ip(from, to).udp(port, toPort).payload(7);
  }

  private static PacketBuilder answer(boolean tcp, String from, int port, String to, int toPort) {
    return tcp
        ? tcp(from, port, to, toPort, Tcp.SYN | Tcp.ACK)
        : PacketBuilder.ip(from, to).udp(port, toPort).payload(7);
  }

  /** What an endpoint had sent before it was withdrawn still reaches the client. */
  @Test
  void shouldDeliverAReplyUnderWayWhenItsEndpointGoes() {
    services.apply(List.of(front("10.96.0.10", UDP, false, "10.2.0.3")), List.of());
    pass(PacketBuilder.ip("10.1.0.2", "10.96.0.10").udp(53, 80));
    services.apply(List.of(front("10.96.0.10", UDP, false, "10.2.0.4")), List.of());
    assertPasses(
        PacketBuilder.ip("10.2.0.3", "10.1.0.2").udp(8080, 53),
        PacketBuilder.ip("10.96.0.10", "10.1.0.2").udp(80, 53));
    assertPasses(
        PacketBuilder.ip("10.1.0.2", "10.96.0.10").udp(53, 80),
        PacketBuilder.ip("10.1.0.2", "10.2.0.4").udp(53, 8080));
    assertPasses(
        PacketBuilder.ip("10.2.0.3", "10.1.0.2").udp(8080, 53),
        PacketBuilder.ip("10.96.0.10", "10.1.0.2").udp(80, 53));
    // Not for long, whatever it goes on sending.
    for (int k = 0; k < 100; k++) {
      nanos += 100_000_000;
      pass(PacketBuilder.ip("10.2.0.3", "10.1.0.2").udp(8080, 53));
    }
    assertEquals(0, v.flow[0]);
    assertEquals(1, flows.size());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSayThatTheNodeHasNoAddressToMasqueradeWith(boolean ipv6) {
    Names n = names(ipv6);
    services.apply(List.of(front(n.front, UDP, true, n.endpoint)), List.of());
    nodeIs(names(!ipv6));
    assertDrops(DropReason.NO_SOURCE_ADDRESS, PacketBuilder.ip(n.client, n.front).udp(4000, 80));
  }

  private void nodeIs(Names n) {
    InetAddress node = InetAddress.ofLiteral(n.node);
    sources.set(n.ipv6() ? null : node, n.ipv6() ? node : null);
    sources.own(List.of(node));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldComeToTheNodeFromThePairAndKeepThePort(boolean ipv6) {
    Names n = names(ipv6);
    services.apply(List.of(front(n.front, TCP, true, n.node)), List.of());
    nodeIs(n);
    sources.host(9, InetAddress.ofLiteral("169.254.103.2"), InetAddress.ofLiteral("fd67::2"));
    String pair = ipv6 ? "fd67::2" : "169.254.103.2";
    assertPasses(tcp(n.client, 4000, n.front, 80, Tcp.SYN), tcp(pair, 4000, n.node, 8080, Tcp.SYN));
    assertPasses(
        tcp(n.node, 8080, pair, 4000, Tcp.SYN | Tcp.ACK),
        tcp(n.front, 80, n.client, 4000, Tcp.SYN | Tcp.ACK));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMasqueradeWhatTheHostSends(boolean ipv6) {
    Names n = names(ipv6);
    services.apply(List.of(front(n.front, TCP, false, n.endpoint)), List.of());
    nodeIs(n);
    sources.host(1, InetAddress.ofLiteral("169.254.103.2"), InetAddress.ofLiteral("fd67::2"));
    pass(tcp(n.node, 4000, n.front, 80, Tcp.SYN));
    int port = v.ports[0] >>> 16;
    assertTrue(port >= 61_000, "port " + port);
    assertPasses(
        tcp(n.endpoint, 8080, n.node, port, Tcp.SYN | Tcp.ACK),
        tcp(n.front, 80, n.node, 4000, Tcp.SYN | Tcp.ACK));
  }

  @Test
  void shouldMasqueradeAClientThatMeetsItself() {
    services.apply(List.of(front("10.96.0.10", TCP, false, "10.1.0.2")), List.of());
    sources.set(InetAddress.ofLiteral("192.168.0.2"), null);
    pass(tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.SYN));
    int port = v.ports[0] >>> 16;
    assertPasses(
        tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.ACK),
        tcp("192.168.0.2", port, "10.1.0.2", 8080, Tcp.ACK));
  }

  @Test
  void shouldFindAnotherPortWhenTwoFrontsMeetAtOneEndpoint() {
    services.apply(
        List.of(
            front("10.96.0.10", UDP, false, "10.2.0.3"),
            front("10.96.0.11", UDP, false, "10.2.0.3")),
        List.of());
    pass(PacketBuilder.ip("10.1.0.2", "10.96.0.10").udp(4000, 80));
    assertEquals(4000, v.ports[0] >>> 16);
    pass(PacketBuilder.ip("10.1.0.2", "10.96.0.11").udp(4000, 80));
    int port = v.ports[0] >>> 16;
    assertTrue(port >= 61_000, "port " + port);
    assertPasses(
        PacketBuilder.ip("10.2.0.3", "10.1.0.2").udp(8080, port),
        PacketBuilder.ip("10.96.0.11", "10.1.0.2").udp(80, 4000));
  }

  @Test
  void shouldLeaveAloneWhatIsNoService() {
    services.apply(List.of(front("10.96.0.10", TCP, false, "10.2.0.3")), List.of());
    PacketBuilder plain = tcp("10.1.0.2", 4000, "10.2.0.3", 80, Tcp.SYN);
    assertPasses(plain, plain);
    assertEquals(0, flows.size());
  }

  @Test
  void shouldNameTheReasonOfEveryDrop() {
    FrontSpec front = front("10.96.0.10", TCP, false);
    services.apply(List.of(front), List.of());
    services.serviceCidrs(List.of("10.96.0.0/16"));
    assertAnswers(DropReason.NO_ENDPOINTS, tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.SYN));
    assertAnswers(DropReason.NO_SUCH_PORT, tcp("10.1.0.2", 4000, "10.96.0.10", 81, Tcp.SYN));
    assertDrops(
        DropReason.UNASSIGNED_SERVICE_ADDRESS, tcp("10.1.0.2", 4000, "10.96.1.1", 80, Tcp.SYN));
    services.apply(List.of(front("10.96.0.10", TCP, false, "10.2.0.3")), List.of());
    assertAnswers(DropReason.NO_FLOW, tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.ACK));
    services.apply(List.of(), List.of(front.key()));
    assertDrops(
        DropReason.UNASSIGNED_SERVICE_ADDRESS, tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.SYN));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAnswerAnEchoRequest(boolean ipv6) {
    Names n = names(ipv6);
    services.apply(List.of(front(n.front, TCP, false)), List.of());
    byte[] out = pass(PacketBuilder.ip(n.client, n.front).echo(77, 1).payload(5));
    assertEquals(Verdict.ANSWER, v.verdict[0]);
    assertEquals(ipv6 ? 129 : 0, out[v.l4[0]] & 0xFF);
  }

  @Test
  void shouldKeepAZeroUdpChecksum() {
    services.apply(List.of(front("10.96.0.10", UDP, false, "10.2.0.3")), List.of());
    assertPasses(
        PacketBuilder.ip("10.1.0.2", "10.96.0.10").udp(4000, 80).checksum(0),
        PacketBuilder.ip("10.1.0.2", "10.2.0.3").udp(4000, 8080).checksum(0));
  }

  @Test
  void shouldEndUdpFlowsWithTheirEndpointAndKeepTcpFlows() {
    for (int protocol : new int[] {TCP, UDP}) {
      services.apply(List.of(front("10.96.0.10", protocol, false, "10.2.0.3")), List.of());
    }
    pass(tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.SYN));
    pass(tcp("10.2.0.3", 8080, "10.1.0.2", 4000, Tcp.SYN | Tcp.ACK));
    pass(tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.ACK));
    pass(PacketBuilder.ip("10.1.0.2", "10.96.0.10").udp(4000, 80));
    assertEquals(2, flows.size());
    for (int protocol : new int[] {TCP, UDP}) {
      services.apply(List.of(front("10.96.0.10", protocol, false, "10.2.0.4")), List.of());
    }
    assertEquals(1, flows.copies(f -> true, 10, 0).size());
    assertPasses(
        tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.ACK),
        tcp("10.1.0.2", 4000, "10.2.0.3", 8080, Tcp.ACK));
    assertPasses(
        PacketBuilder.ip("10.1.0.2", "10.96.0.10").udp(4000, 80),
        PacketBuilder.ip("10.1.0.2", "10.2.0.4").udp(4000, 8080));
  }

  @Test
  void shouldOpenAFinishedFlowAnewWithANewEndpoint() {
    services.apply(List.of(front("10.96.0.10", TCP, false, "10.2.0.3")), List.of());
    pass(tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.SYN));
    pass(tcp("10.2.0.3", 8080, "10.1.0.2", 4000, Tcp.SYN | Tcp.ACK));
    pass(tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.ACK));
    pass(tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.FIN | Tcp.ACK));
    pass(tcp("10.2.0.3", 8080, "10.1.0.2", 4000, Tcp.FIN | Tcp.ACK));
    pass(tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.ACK));
    assertEquals(FlowState.TIME_WAIT, flows.copies(f -> true, 1, 0).getFirst().state());
    services.apply(List.of(front("10.96.0.10", TCP, false, "10.2.0.4")), List.of());
    assertPasses(
        tcp("10.1.0.2", 4000, "10.96.0.10", 80, Tcp.SYN),
        tcp("10.1.0.2", 4000, "10.2.0.4", 8080, Tcp.SYN));
    assertEquals(1, flows.size());
    assertNotEquals(0, v.flow[0]);
  }

  /** The first fragment opens the flow that the others of the same vector go by. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldOpenAFlowForADatagramInFragments(boolean ipv6) {
    Names n = names(ipv6);
    services.apply(List.of(front(n.front, UDP, false, n.endpoint)), List.of());
    byte[] datagram = PacketBuilder.ip(n.client, n.front).udp(4000, 80).payload(40).packet();
    byte[] rewritten = PacketBuilder.ip(n.client, n.endpoint).udp(4000, 8080).payload(40).packet();
    int header = ipv6 ? 40 : 20;
    try (Frame last = part(n.client, n.front, datagram, header, 24);
        Frame first = part(n.client, n.front, datagram, header, 0);
        Frame unknown = part(n.client, n.front, datagram, header, 400);
        FragmentTable table = new FragmentTable()) {
      FragmentStage fragments = new FragmentStage(table, () -> nanos);
      v.size = 0;
      v.append(last.start(), last.address(), last.length(), 1);
      v.append(first.start(), first.address(), first.length(), 1);
      through(fragments);
      assertEquals(3, v.size);
      assertEquals(Verdict.HELD, v.verdict[0]);
      try (Frame expected = part(n.client, n.endpoint, rewritten, header, 24);
          Frame expectedFirst = part(n.client, n.endpoint, rewritten, header, 0)) {
        assertEquals(Frame.hex(expected.bytes()), Frame.hex(last.bytes()));
        assertEquals(Frame.hex(expectedFirst.bytes()), Frame.hex(first.bytes()));
      }
      assertEquals(1, flows.size());
      v.size = 0;
      v.append(unknown.start(), unknown.address(), unknown.length(), 1);
      through(fragments);
      nanos += 1_000_000_000L;
      v.size = 0;
      through(fragments);
      assertEquals(DropReason.FRAGMENT_UNSUPPORTED.code(), v.dropReason[0]);
    }
  }

  private void through(FragmentStage fragments) {
    parse.process(v);
    fragments.process(v);
    track.process(v);
    service.process(v);
    rewrite.process(v);
  }

  private static Frame part(String from, String to, byte[] packet, int header, int offset) {
    byte[] body =
        offset < 24
            ? java.util.Arrays.copyOfRange(packet, header, header + 24)
            : java.util.Arrays.copyOfRange(packet, header + 24, packet.length);
    return Frame.of(
        PacketBuilder.ip(from, to)
            .protocol(UDP)
            .payload(body)
            .identification(offset > 24 ? 9 : 8)
            .fragment(offset, offset == 0)
            .bytes());
  }

  private void podsLeaveByTheNodesAddress() {
    sources.set(InetAddress.ofLiteral("192.168.0.2"), InetAddress.ofLiteral("fd00::fe"));
    sources.ports(61_000, 61_000);
    services.clients(
        new ClientRules(
            Map.of(),
            List.of(),
            ClientRules.Detect.NOT,
            List.of(),
            List.of(),
            List.of("10.1.0.0/16", "fd01::/16"),
            ClientRules.Egress.BOTH));
  }

  /** A byte behind the IP header: no header that parse would have proved. */
  @Test
  void shouldNotTakeTheOtherFamilysIcmpForAnEcho() {
    podsLeaveByTheNodesAddress();
    for (PacketBuilder packet :
        List.of(
            PacketBuilder.ip("10.1.0.2", "192.0.2.9").protocol(58).payload(new byte[] {8}),
            PacketBuilder.ip("10.1.0.2", "192.0.2.9").protocol(58),
            PacketBuilder.ip("fd01::2", "2001:db8::9").protocol(1).payload(new byte[] {(byte) 128}),
            PacketBuilder.ip("fd01::2", "2001:db8::9").protocol(1))) {
      assertPasses(packet, packet);
    }
    assertEquals(0, flows.size());
  }

  /** The kernel calls them martians; the host's end of the pair has to accept local sources. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldNotBelieveThatTheNodeSendsByOthersPorts(boolean ipv6) {
    Names n = names(ipv6);
    services.apply(List.of(front(n.front(), UDP, false, n.endpoint())), List.of());
    services.ownAddresses(List.of(InetAddress.ofLiteral(n.node())));
    PacketBuilder toNode = PacketBuilder.ip(n.node(), n.node()).udp(9, 2049);
    PacketBuilder toFront = PacketBuilder.ip(n.node(), n.front()).udp(9, 80);
    for (ClientRules.Leads leads : ClientRules.Leads.values()) {
      services.clients(
          new ClientRules(
              Map.of(1, leads),
              List.of(),
              ClientRules.Detect.NOT,
              List.of(),
              List.of(),
              List.of(),
              ClientRules.Egress.NONE));
      if (leads == ClientRules.Leads.TO_PODS || leads == ClientRules.Leads.TO_THE_NETWORK) {
        assertDrops(DropReason.BAD_IP_ADDRESS, toNode);
        assertDrops(DropReason.BAD_IP_ADDRESS, toFront);
      } else {
        assertPasses(toNode, toNode);
      }
    }
  }
}
