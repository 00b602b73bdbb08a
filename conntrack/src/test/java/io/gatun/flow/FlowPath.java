package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.packet.Frame;
import io.gatun.packet.PacketBuilder;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.qsbr.Qsbr;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/** The stages of this module over one packet at a time, and flows between named addresses. */
final class FlowPath implements AutoCloseable {
  /** Who talks to whom, in one family. */
  record Names(String client, String front, String endpoint, String node, String router) {
    static Names of(boolean ipv6) {
      return ipv6
          ? new Names("fd00::1", "fd00:96::a", "fd00:1::9", "fd00::fe", "fd00:2::1")
          : new Names("10.1.0.2", "10.96.0.10", "10.2.0.3", "192.168.0.2", "172.16.0.1");
    }
  }

  final FlowTable flows = new FlowTable(1000, FlowTimeouts.defaults(), new Qsbr(1));
  final PacketVector v = new PacketVector();
  long nanos = 1L << 40;
  private final List<Stage> stages = new ArrayList<>();

  /** With {@code further} stages behind ours. */
  FlowPath(Stage... further) {
    stages.add(new ParseStage(false, true));
    stages.add(new TrackStage(flows, () -> nanos));
    stages.add(new IcmpErrorStage(flows));
    stages.add(new RewriteStage());
    stages.addAll(List.of(further));
  }

  /** Inserts a flow from {@code client} to {@code front}, which leaves by source and endpoint. */
  void flow(
      int protocol,
      String client,
      int clientPort,
      String front,
      int frontPort,
      String source,
      int sourcePort,
      String endpoint,
      int endpointPort) {
    NewFlow f = new NewFlow();
    f.protocol = protocol;
    InetAddress c = InetAddress.ofLiteral(client);
    InetAddress d = InetAddress.ofLiteral(front);
    InetAddress s = InetAddress.ofLiteral(source);
    InetAddress e = InetAddress.ofLiteral(endpoint);
    f.ipv6 = AddressWords.ipv6(c);
    f.sourceHigh = AddressWords.high(c);
    f.sourceLow = AddressWords.low(c);
    f.destinationHigh = AddressWords.high(d);
    f.destinationLow = AddressWords.low(d);
    f.newSourceHigh = AddressWords.high(s);
    f.newSourceLow = AddressWords.low(s);
    f.newDestinationHigh = AddressWords.high(e);
    f.newDestinationLow = AddressWords.low(e);
    f.ports = clientPort << 16 | frontPort;
    f.newPorts = sourcePort << 16 | endpointPort;
    f.hash =
        f.ipv6
            ? FlowHash.of(
                f.sourceHigh, f.sourceLow, f.destinationHigh, f.destinationLow, f.ports, protocol)
            : FlowHash.of((int) f.sourceLow, (int) f.destinationLow, f.ports, protocol);
    flows.insert(f, Ticks.ofNanos(nanos));
    assertEquals(true, f.inserted);
  }

  /** A packet from a port with a local stack behind it, through all stages. */
  byte[] pass(PacketBuilder packet) {
    return pass(packet.bytes());
  }

  byte[] pass(byte[] packet) {
    try (Frame frame = Frame.of(packet, 256)) {
      v.size = 0;
      v.append(frame.start(), frame.address(), frame.length(), 1);
      stages.forEach(stage -> stage.process(v));
      return frame.bytes();
    }
  }

  void assertPasses(PacketBuilder in, PacketBuilder expected) {
    byte[] out = pass(in);
    assertEquals(Verdict.CONTINUE, v.verdict[0], () -> "drop reason " + v.dropReason[0]);
    assertEquals(Frame.hex(expected.bytes()), Frame.hex(out));
  }

  void assertUntouched(PacketBuilder in) {
    assertPasses(in, in);
    assertEquals(0, v.flags[0] & PacketVector.TRANSLATED);
  }

  void assertDrops(DropReason reason, PacketBuilder in) {
    byte[] out = pass(in);
    assertEquals(Verdict.DROP, v.verdict[0]);
    assertEquals(reason.code(), v.dropReason[0]);
    assertEquals(Frame.hex(in.bytes()), Frame.hex(out));
  }

  @Override
  public void close() {
    flows.close();
  }
}
