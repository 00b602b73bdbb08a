package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.flow.FlowPath.Names;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.PacketBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pings from behind a masquerade: the identifier is their port. */
class EchoTest {
  private final FlowPath path = new FlowPath();

  @AfterEach
  void close() {
    path.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTranslateTheIdentifierAndBack(boolean ipv6) {
    Names n = Names.of(ipv6);
    int icmp = ipv6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP;
    int reply = ipv6 ? 129 : 0;
    path.flow(icmp, n.client(), 7, n.router(), 7, n.node(), 61_000, n.router(), 61_000);
    for (int sequence = 1; sequence < 4; sequence++) {
      path.assertPasses(
          PacketBuilder.ip(n.client(), n.router()).echo(7, sequence).payload(9),
          PacketBuilder.ip(n.node(), n.router()).echo(61_000, sequence).payload(9));
      path.assertPasses(
          PacketBuilder.ip(n.router(), n.node()).icmp(reply, 0, 61_000 << 16 | sequence).payload(9),
          PacketBuilder.ip(n.router(), n.client()).icmp(reply, 0, 7 << 16 | sequence).payload(9));
    }
    path.assertUntouched(PacketBuilder.ip(n.client(), n.router()).echo(8, 1));
    assertEquals(FlowState.ICMP, path.flows.copies(f -> true, 1, 0).getFirst().state());
  }

  /** What is no query has no identifier; that of a flow may be 0. */
  @ParameterizedTest
  @CsvSource({"false,9", "false,17", "true,127", "true,139", "true,255"})
  void shouldLeaveWhatIsNoQueryAlone(boolean ipv6, int type) {
    Names n = Names.of(ipv6);
    int icmp = ipv6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP;
    path.flow(icmp, n.client(), 0, n.router(), 0, n.node(), 61_000, n.router(), 61_000);
    path.assertUntouched(PacketBuilder.ip(n.client(), n.router()).icmp(type, 0, 0).payload(9));
    path.assertUntouched(PacketBuilder.ip(n.client(), n.router()).icmp(type, 0, 5).payload(9));
  }
}
