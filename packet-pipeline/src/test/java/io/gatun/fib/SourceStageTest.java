package io.gatun.fib;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.fib.SourceChecks.Check;
import io.gatun.packet.Frame;
import io.gatun.packet.PacketBuilder;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** RFC 3704: port 1 is a pod's, 2 another's, 3 leads out. */
class SourceStageTest {
  private static final int POD = 1;
  private static final int OTHER = 2;
  private static final int UPLINK = 3;
  private static final int MTU = 1500;

  private final Fib fib = new Fib(64, Runnable::run);
  private final SourceStage stage = new SourceStage(fib);

  @BeforeEach
  void routes() {
    AdjacencyTable table = fib.adjacencies();
    int pod = table.add(new Adjacency.Forward(POD, 1, 2, MTU));
    int unresolved = table.add(new Adjacency.Unresolved(POD, 1, MTU));
    int other = table.add(new Adjacency.Forward(OTHER, 1, 3, MTU));
    int out = table.add(new Adjacency.Forward(UPLINK, 1, 4, MTU));
    put("10.244.0.10", 32, pod);
    put("10.244.0.12", 32, unresolved);
    put("10.244.0.11", 32, other);
    put("10.9.0.0", 16, table.add(new Adjacency.Group(List.of(out, pod))));
    put("10.8.0.0", 16, table.add(new Adjacency.Group(List.of(out, other))));
    put("192.168.0.11", 32, table.add(new Adjacency.Host(9, 5, 6)));
    put("203.0.113.0", 24, table.add(new Adjacency.Blackhole()));
    put("198.51.100.0", 24, out);
    put("fd00::10", 128, pod);
    put("fd00::11", 128, other);
    check(Check.STRICT);
  }

  @AfterEach
  void close() {
    fib.close();
  }

  private void put(String prefix, int length, int adjacency) {
    fib.put(InetAddress.ofLiteral(prefix), length, adjacency);
  }

  private void check(Check check) {
    fib.sourceChecks(new SourceChecks(Map.of(POD, check)));
  }

  private String verdict(String source, int port) {
    return verdict(source, port, 0);
  }

  private String verdict(String source, int port, int flags) {
    PacketBuilder packet =
        source.contains(":")
            ? PacketBuilder.ipv6(source, "fd00::99").udp(1, 2)
            : PacketBuilder.ipv4(source, "10.0.0.99").udp(1, 2);
    PacketVector v = new PacketVector();
    try (Frame frame = Frame.of(packet.bytes())) {
      v.append(frame.start(), frame.address(), frame.length(), port);
      new ParseStage().process(v);
      v.flags[0] |= flags;
      stage.process(v);
      return v.verdict[0] == Verdict.CONTINUE
          ? "passes"
          : v.dropReason[0] == DropReason.REVERSE_PATH.code() ? "drops" : "?";
    }
  }

  @ParameterizedTest
  @CsvSource({
    "10.244.0.10,  passes, passes", // its own
    "10.244.0.12,  passes, passes", // the same, before the neighbour is known
    "10.244.0.11,  drops,  passes", // another pod's
    "10.9.0.1,     passes, passes", // one of several ways
    "10.8.0.1,     drops,  passes",
    "192.168.0.11, drops,  passes", // the node's own: refused elsewhere, whatever is checked
    "198.51.100.7, drops,  passes", // somebody outside
    "203.0.113.7,  drops,  drops", // blackhole
    "172.16.0.1,   drops,  drops", // no route
    "fd00::10,     passes, passes",
    "fd00::11,     drops,  passes",
    "fd00::12,     drops,  drops",
  })
  void shouldBelieveASourceThatRoutesLeadBackTo(String source, String strict, String loose) {
    for (int again = 0; again < 2; again++) { // what was right is remembered
      assertEquals(strict, verdict(source, POD), "strict");
    }
    check(Check.LOOSE);
    assertEquals(loose, verdict(source, POD), "loose");
    check(Check.OFF);
    assertEquals("passes", verdict(source, POD), "off");
  }

  @Test
  void shouldLeaveOtherPortsAlone() {
    assertEquals("passes", verdict("172.16.0.1", UPLINK));
    assertEquals("passes", verdict("172.16.0.1", -1), "none");
  }

  @Test
  void shouldLeaveWhatIsSwitchedAlone() {
    assertEquals("passes", verdict("10.244.0.11", POD, PacketVector.SWITCHED));
  }

  @Test
  void shouldForgetWhatWasRightWhenRoutesChange() {
    assertEquals("passes", verdict("10.244.0.10", POD));
    assertEquals("passes", verdict("fd00::10", POD));
    fib.remove(InetAddress.ofLiteral("10.244.0.10"), 32);
    fib.remove(InetAddress.ofLiteral("fd00::10"), 128);
    assertEquals("drops", verdict("10.244.0.10", POD));
    assertEquals("drops", verdict("fd00::10", POD));
  }

  @Test
  void shouldForgetWhatWasRightWhenPortsChangeHands() {
    assertEquals("passes", verdict("10.244.0.10", POD));
    int moved = fib.lookup(InetAddress.ofLiteral("10.244.0.10"));
    fib.adjacencies().replace(moved, new Adjacency.Forward(OTHER, 1, 2, MTU));
    check(Check.STRICT);
    assertEquals("drops", verdict("10.244.0.10", POD));
  }
}
