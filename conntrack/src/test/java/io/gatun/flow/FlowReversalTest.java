package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.flow.FlowPath.Names;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.PacketVector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** There and back: what the sender sent, to the last bit. */
class FlowReversalTest {
  private int undone;
  private final FlowReversal reversal = new FlowReversal();
  private final FlowPath path =
      new FlowPath(v -> {
        boolean translated = (v.flags[0] & PacketVector.TRANSLATED) != 0;
        assertEquals(translated, reversal.undo(v, 0));
        undone += translated ? 1 : 0;
      });

  @AfterEach
  void close() {
    path.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldGiveBackWhatWasSent(boolean ipv6) {
    Names n = Names.of(ipv6);
    for (int protocol : new int[] {6, 17}) {
      path.flow(protocol, n.client(), 4000, n.front(), 80, n.node(), 61_000, n.endpoint(), 8080);
    }
    int icmp = ipv6 ? 58 : 1;
    path.flow(icmp, n.client(), 7, n.router(), 7, n.node(), 61_000, n.router(), 61_000);
    PacketBuilder[] packets = {
      PacketBuilder.ip(n.client(), n.front()).tcp(4000, 80).flags(Tcp.SYN).payload(7),
      PacketBuilder.ip(n.client(), n.front()).tcp(4000, 80).payload(7).partialChecksum(),
      PacketBuilder.ip(n.endpoint(), n.node()).tcp(8080, 61_000).payload(1460),
      PacketBuilder.ip(n.client(), n.front()).udp(4000, 80).payload(3),
      PacketBuilder.ip(n.client(), n.front()).udp(4000, 80).payload(3).partialChecksum(),
      PacketBuilder.ip(n.client(), n.front()).udp(4000, 80).checksum(0),
      PacketBuilder.ip(n.endpoint(), n.node()).udp(8080, 61_000).payload(3),
      PacketBuilder.ip(n.client(), n.router()).echo(7, 1).payload(5),
    };
    for (PacketBuilder packet : packets) {
      path.assertPasses(packet, packet);
    }
    assertEquals(packets.length, undone);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldUndoNothingWhereNothingWasDone(boolean ipv6) {
    Names n = Names.of(ipv6);
    path.assertUntouched(PacketBuilder.ip(n.client(), n.front()).udp(4000, 80));
    assertFalse(undone > 0);
    assertTrue(path.flows.size() == 0);
  }
}
