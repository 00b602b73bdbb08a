package io.gatun.bridge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Libc;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.fib.RouteStage;
import io.gatun.packet.Frame;
import io.gatun.packet.Ipv4;
import io.gatun.packet.PacketBuilder;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SwitchStageTest {
  private static final long NODE = 0x02_00_00_00_00_01L;
  private static final long FIRST = 0x02_00_00_00_00_11L;
  private static final long SECOND = 0x02_00_00_00_00_12L;
  private static final long ISOLATED = 0x02_00_00_00_00_13L;
  private static final long STRANGER = 0x02_00_00_00_00_99L;

  private Switchboard board =
      new Switchboard(
          List.of(
              new Switchboard.Domain(List.of(1, 2), List.of(1, 2), List.of(2), entries(true)),
              new Switchboard.Domain(List.of(3), List.of(), List.of(), entries(false))));
  private final int wake = Libc.eventfd(Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
  private final Sightings sightings = new Sightings("sightings", wake);
  private final Fib fib = new Fib(16, Runnable::run);
  private final RouteStage route = new RouteStage(fib);
  private final PacketVector v = new PacketVector();
  private final List<Frame> frames = new ArrayList<>();
  private long now;
  private final SwitchStage stage = new SwitchStage(() -> board, sightings, () -> now);

  private static List<Switchboard.Entry> entries(boolean all) {
    return List.of(
        new Switchboard.Entry(NODE, Switchboard.NODE, 0, true),
        new Switchboard.Entry(FIRST, 1, 1500, true),
        new Switchboard.Entry(SECOND, 2, 1400, true),
        new Switchboard.Entry(ISOLATED, 3, 1500, all));
  }

  @AfterEach
  void close() {
    frames.forEach(Frame::close);
    sightings.close();
    fib.close();
    Libc.close(wake);
  }

  private void send(int port, long from, long to, int payload) {
    send(
        port, PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload(payload).macs(from, to));
  }

  private void send(int port, PacketBuilder packet) {
    Frame frame = Frame.of(packet.bytes());
    frames.add(frame);
    v.append(frame.start(), frame.address(), frame.length(), port);
    new ParseStage().process(v);
  }

  private List<String> seen() {
    List<String> seen = new ArrayList<>();
    sightings.poll((port, mac) -> seen.add(port + " " + Long.toHexString(mac)));
    return seen;
  }

  private void expectDrop(int i) {
    assertEquals(Verdict.DROP, v.verdict[i]);
    assertEquals(DropReason.LEFT_TO_BRIDGE.code(), v.dropReason[i]);
  }

  @Test
  void shouldSendAsItIsWhatIsForAnotherPort() {
    for (String to : List.of("10.0.0.2", "2001:db8::2")) {
      v.size = 0;
      PacketBuilder packet = PacketBuilder.ip(to.replace("2", "1"), to).ttl(1).macs(FIRST, SECOND);
      send(1, packet.udp(1, 2).payload(100));
      byte[] before = frames.getLast().bytes();
      stage.process(v);
      route.process(v);
      assertEquals(Verdict.SEND, v.verdict[0]);
      assertEquals(2, v.outPort[0]);
      assertArrayEquals(before, frames.getLast().bytes());
    }
  }

  @Test
  void shouldRouteWhatIsForTheNodeAndWhatWasGivenAnotherDestination() {
    fib.put(
        InetAddress.ofLiteral("10.0.0.0"),
        8,
        fib.adjacencies().add(new Adjacency.Forward(9, 1, 2, 1500)));
    send(1, FIRST, NODE, 10);
    send(1, FIRST, SECOND, 10);
    stage.process(v);
    Ipv4.destination(v.address[1] + v.l3[1], 0x0A00_0009); // as a Service's stage does
    route.process(v);
    assertEquals(9, v.outPort[0]);
    assertEquals(9, v.outPort[1]);
  }

  @Test
  void shouldLeaveTheRestToTheBridge() {
    send(1, FIRST, STRANGER, 10);
    send(1, FIRST, FIRST, 10);
    send(3, ISOLATED, ISOLATED, 10);
    send(2, SECOND, SECOND, 10);
    send(1, FIRST, SECOND, 1380);
    send(7, STRANGER, STRANGER, 10);
    stage.process(v);
    expectDrop(0);
    expectDrop(1); // would go back
    expectDrop(2); // isolated from each other
    assertEquals(PacketVector.SWITCHED, v.flags[3] & PacketVector.SWITCHED, "hairpin is on");
    assertEquals(DropReason.TOO_BIG.code(), v.dropReason[4]);
    assertEquals(Verdict.CONTINUE, v.verdict[5], "no bridge's port");
    assertEquals(0, v.flags[5] & PacketVector.SWITCHED);
  }

  @Test
  void shouldLetAFrameWaitUntilItsSenderIsLearnt() {
    send(1, STRANGER, NODE, 10);
    send(1, STRANGER, SECOND, 10);
    stage.process(v);
    assertEquals(Verdict.HELD, v.verdict[0]);
    assertEquals(Verdict.HELD, v.verdict[1]);
    assertEquals(List.of("1 20000000099"), seen());
    assertFalse(stage.due());
    List<Switchboard.Entry> learnt = new ArrayList<>(entries(true));
    learnt.add(new Switchboard.Entry(STRANGER, 1, 1500, true));
    board =
        new Switchboard(
            List.of(new Switchboard.Domain(List.of(1, 2), List.of(1, 2), List.of(), learnt)));
    now += TimeUnit.MILLISECONDS.toNanos(1);
    assertTrue(stage.due());
    v.size = 0;
    stage.process(v);
    assertEquals(2, v.size);
    assertEquals(0, v.flags[0] & PacketVector.SWITCHED);
    assertEquals(PacketVector.SWITCHED, v.flags[1] & PacketVector.SWITCHED);
    assertFalse(stage.due());
  }

  @Test
  void shouldNotWaitForWhatIsNotLearntInTime() {
    send(1, STRANGER, NODE, 10);
    stage.process(v);
    v.size = 0;
    now += TimeUnit.MILLISECONDS.toNanos(21);
    stage.process(v);
    assertEquals(1, v.size);
    assertEquals(Verdict.CONTINUE, v.verdict[0]);
    v.size = 0;
    send(1, STRANGER, NODE, 10);
    stage.process(v);
    assertEquals(Verdict.CONTINUE, v.verdict[0], "for a while nobody waits");
    v.size = 0;
    send(3, STRANGER, NODE, 10);
    stage.process(v);
    assertEquals(Verdict.CONTINUE, v.verdict[0], "this port does not learn");
  }

  @Test
  void shouldTellWhatIsInUse() {
    send(1, FIRST, SECOND, 10);
    send(3, STRANGER, FIRST, 10);
    stage.process(v);
    List<String> uses = new ArrayList<>();
    board.uses((domain, mac) -> uses.add(domain + " " + Long.toHexString(mac)));
    uses.sort(null);
    assertEquals(List.of("0 20000000011", "0 20000000012", "1 20000000011"), uses);
    board.uses((domain, mac) -> uses.add("again"));
    assertEquals(3, uses.size());
  }

  @Test
  void shouldFindEveryAddressOfMany() {
    Random random = new Random(1);
    List<Switchboard.Entry> many = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      many.add(new Switchboard.Entry(random.nextLong() >>> 16, i % 1000, 1500, true));
    }
    Switchboard large =
        new Switchboard(
            List.of(
                new Switchboard.Domain(List.of(5), List.of(), List.of(), many.subList(0, 1500)),
                new Switchboard.Domain(
                    List.of(6), List.of(), List.of(), many.subList(1500, 3000))));
    for (int i = 0; i < 3000; i++) {
      int slot = large.find(i < 1500 ? 1 : 2, many.get(i).mac());
      assertEquals(many.get(i).port(), large.port(slot));
      assertEquals(Switchboard.UNKNOWN, large.find(i < 1500 ? 2 : 1, many.get(i).mac()));
    }
  }
}
