package io.gatun.fib;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.packet.Frame;
import io.gatun.packet.PacketBuilder;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NeighbourStageTest {
  private static final Adjacency UNKNOWN = new Adjacency.Unresolved(7, 1, 1500);
  private static final Adjacency KNOWN = new Adjacency.Forward(7, 1, 2, 1500);

  private final Fib fib = new Fib(16, Runnable::run);
  private final RouteStage route = new RouteStage(fib);
  private final int wake = Libc.eventfd(Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
  private final Questions questions = new Questions("questions", wake);
  private final ParseStage parse = new ParseStage();
  private final List<Frame> frames = new ArrayList<>();
  private long now;
  private final NeighbourStage stage = new NeighbourStage(route, questions, () -> now);
  private final PacketVector v = new PacketVector();

  @AfterEach
  void close() {
    frames.forEach(Frame::close);
    questions.close();
    fib.close();
    Libc.close(wake);
  }

  private int put(String prefix, int length, Adjacency adjacency) {
    int number = fib.adjacencies().add(adjacency);
    fib.put(InetAddress.ofLiteral(prefix), length, number);
    return number;
  }

  private void send(String destination) {
    send(destination, 1);
  }

  private void send(String destination, int inPort) {
    String source = destination.contains(":") ? "2001:db8::1" : "10.0.0.1";
    Frame frame = Frame.of(PacketBuilder.ip(source, destination).udp(1, 2).payload(10).bytes());
    frames.add(frame);
    v.append(frame.start(), frame.address(), frame.length(), inPort);
  }

  /** What is in the vector after a cycle {@code millis} later. */
  private PacketVector cycle(long millis) {
    now += TimeUnit.MILLISECONDS.toNanos(millis);
    parse.process(v);
    route.process(v);
    stage.process(v);
    return v;
  }

  private List<String> asked() {
    List<String> asked = new ArrayList<>();
    questions.poll(address -> asked.add(address.getHostAddress()));
    return asked;
  }

  @Test
  void shouldSendWhatWaitedOnceTheNeighbourIsKnown() {
    int number = put("10.2.0.5", 32, UNKNOWN);
    send("10.2.0.5");
    send("10.2.0.5");
    cycle(0);
    assertEquals(Verdict.HELD, v.verdict[0]);
    assertEquals(Verdict.HELD, v.verdict[1]);
    assertEquals(List.of("10.2.0.5"), asked());
    v.size = 0;
    assertFalse(stage.due());
    assertEquals(0, cycle(1).size);
    fib.adjacencies().replace(number, KNOWN);
    now += TimeUnit.MILLISECONDS.toNanos(1);
    assertTrue(stage.due());
    assertEquals(2, cycle(0).size);
    assertEquals(Verdict.SEND, v.verdict[0]);
    assertEquals(7, v.outPort[0]);
    assertEquals(frames.get(1).start(), v.frame[1]);
    v.size = 0;
    assertEquals(0, cycle(5).size);
    assertFalse(stage.due());
  }

  @Test
  void shouldForgetTheFlowOfWhatWaits() {
    int number = put("10.2.0.5", 32, UNKNOWN);
    send("10.2.0.5");
    try (NativeArea entry = NativeArea.map("flow entry", 64)) {
      v.flow[0] = entry.address();
      cycle(0);
    }
    v.size = 0;
    fib.adjacencies().replace(number, KNOWN);
    assertEquals(1, cycle(1).size); // with the entry's memory gone, which may be another flow's
    assertEquals(Verdict.SEND, v.verdict[0]);
    assertEquals(0, v.flow[0]);
  }

  @Test
  void shouldTellTheNeighboursOfANetworkApartAndDropWhatWaitedTooLong() {
    put("2001:db8:2::", 64, UNKNOWN);
    put("10.2.0.0", 16, UNKNOWN);
    for (int i = 0; i < NeighbourStage.PER_DESTINATION + 4; i++) {
      send("2001:db8:2::5");
    }
    send("2001:db8:2::6");
    send("10.2.0.5");
    cycle(0);
    long dropped = 0;
    for (int i = 0; i < v.size; i++) {
      dropped += v.verdict[i] == Verdict.DROP ? 1 : 0;
    }
    assertEquals(4, dropped);
    assertEquals(3, asked().size());
    v.size = 0;
    put("2001:db8:2::6", 128, KNOWN); // what a mirror does with a neighbour
    assertEquals(1, cycle(2).size);
    assertEquals(Verdict.SEND, v.verdict[0]);
    v.size = 0;
    assertEquals(0, cycle(2000).size);
    assertEquals(NeighbourStage.PER_DESTINATION + 1, cycle(1500).size);
    assertEquals(Verdict.DROP, v.verdict[0]);
    assertEquals(DropReason.NO_NEIGHBOUR.code(), v.dropReason[0]);
  }

  /** A pod that looks through a network for who is there must not keep others from asking. */
  @Test
  void shouldLeaveRoomForThePacketsOfOtherPorts() {
    put("10.2.0.0", 16, UNKNOWN);
    for (int i = 0; i < PacketVector.CAPACITY; i++) {
      send("10.2." + i / 128 + "." + (1 + i % 128), 3);
    }
    cycle(0);
    assertEquals(NeighbourStage.PER_PORT, asked().size());
    v.size = 0;
    send("10.2.9.1", 1);
    assertEquals(Verdict.HELD, cycle(0).verdict[0]);
    assertEquals(List.of("10.2.9.1"), asked());
  }

  /** What its neighbour's answer shows to be undeliverable becomes an error, once. */
  @Test
  void shouldLetAnErrorThatHasNoNeighbourItselfBeTheEnd() {
    int number = put("10.2.0.5", 32, UNKNOWN);
    put("10.0.0.1", 32, UNKNOWN);
    Frame frame = Frame.of(PacketBuilder.ip("10.0.0.1", "10.2.0.5").ttl(1).udp(1, 2).bytes(), 256);
    frames.add(frame);
    v.append(frame.start(), frame.address(), frame.length(), 1);
    cycle(0);
    assertEquals(Verdict.HELD, v.verdict[0]);
    v.size = 0;
    fib.adjacencies().replace(number, KNOWN);
    assertEquals(1, cycle(1).size);
    assertEquals(Verdict.DROP, v.verdict[0]);
    assertEquals(DropReason.NO_NEIGHBOUR.code(), v.dropReason[0]);
    v.size = 0;
    assertEquals(0, cycle(1).size);
    assertFalse(stage.due());
  }

  @Test
  void shouldHoldOneVectorAndReleaseAsMuchAsThereIsRoomFor() {
    int number = put("10.2.0.0", 16, UNKNOWN);
    for (int i = 0; i < PacketVector.CAPACITY; i++) {
      send("10.2." + i / 128 + "." + (1 + i % 128), i % 4);
    }
    cycle(0);
    v.size = 0;
    send("10.2.9.1", 5);
    assertEquals(Verdict.DROP, cycle(0).verdict[0]);
    v.size = 0;
    put("10.3.0.0", 16, KNOWN);
    for (int i = 0; i < 200; i++) {
      send("10.3.0.1");
    }
    fib.adjacencies().replace(number, KNOWN);
    assertEquals(PacketVector.CAPACITY, cycle(1).size);
    v.size = 0;
    assertEquals(200, cycle(1).size);
    for (int i = 0; i < 200; i++) {
      assertEquals(Verdict.SEND, v.verdict[i]);
    }
  }
}
