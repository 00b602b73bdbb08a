package io.gatun.control.kernel;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.ffm.netlink.NetlinkSubscription;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Netlink messages with bytes changed, cut and joined at random: the mirror goes on. */
class MirrorFuzzTest {
  private static final int ROUNDS = 20_000;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);

  /** One attribute: length, type, value, padding. */
  private static byte[] attribute(int type, byte... value) {
    ByteBuffer buffer =
        ByteBuffer.allocate((4 + value.length + 3) & -4).order(ByteOrder.nativeOrder());
    buffer.putShort((short) (4 + value.length)).putShort((short) type).put(value);
    return buffer.array();
  }

  private static byte[] number(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(value).array();
  }

  private static byte[] join(byte[]... parts) {
    ByteBuffer all = ByteBuffer.allocate(List.of(parts).stream().mapToInt(p -> p.length).sum());
    for (byte[] part : parts) {
      all.put(part);
    }
    return all.array();
  }

  private static byte[] message(int type, int flags, byte[]... body) {
    byte[] bytes = join(body);
    ByteBuffer buffer = ByteBuffer.allocate(16 + bytes.length).order(ByteOrder.nativeOrder());
    buffer.putInt(16 + bytes.length).putShort((short) type).putShort((short) flags);
    buffer.putInt(0).putInt(0).put(bytes);
    return buffer.array();
  }

  /** What a kernel tells: one of each kind, and its removal. Numbers: linux/rtnetlink.h. */
  private static List<byte[]> messages() {
    byte[] mac = {2, 0, 0, 0, 0, 9};
    byte[] gateway = {10, 0, 0, 9};
    byte[] link = {0, 0, 1, 0, 2, 0, 0, 0, 0x41, 0, 0, 0, 0, 0, 0, 0};
    byte[] address = {2, 24, 0, 0, 2, 0, 0, 0};
    byte[] route = {2, 24, 0, 0, (byte) 254, 4, 0, 1, 0, 0, 0, 0};
    byte[] neighbour = {2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 1};
    byte[] bridge = {7, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0};
    byte[] rule = {2, 16, 0, 0, 100, 0, 0, 1, 0, 0, 0, 0};
    byte[] hop = {2, 0, 4, 0, 0, 0, 0, 0};
    byte[] way = {16, 0, 0, 1, 2, 0, 0, 0};
    byte[] kind = attribute(1, "vxlan".getBytes(StandardCharsets.US_ASCII));
    byte[] data = attribute(2, join(attribute(1, number(77)), attribute(4, gateway)));
    List<byte[]> all = new ArrayList<>();
    for (int removed = 0; removed < 2; removed++) {
      all.add(
          message(
              16 + removed,
              0,
              link,
              attribute(3, (byte) 'v', (byte) '1', (byte) 0),
              attribute(1, mac),
              attribute(4, number(1500)),
              attribute(10, number(3)),
              attribute(18, join(kind, data))));
      all.add(message(20 + removed, 0, address, attribute(1, gateway), attribute(2, gateway)));
      all.add(
          message(
              24 + removed,
              removed == 0 ? 0x100 : 0,
              route,
              attribute(1, (byte) 10, (byte) 7, (byte) 0, (byte) 0),
              attribute(4, number(2)),
              attribute(5, gateway),
              attribute(6, number(10)),
              attribute(15, number(254)),
              attribute(30, number(5))));
      all.add(
          message(
              24 + removed,
              0x800,
              route,
              attribute(1, (byte) 10, (byte) 8, (byte) 0, (byte) 0),
              attribute(9, join(way, attribute(5, gateway), way, attribute(5, gateway)))));
      all.add(message(28 + removed, 0, neighbour, attribute(1, gateway), attribute(2, mac)));
      all.add(message(28 + removed, 0, bridge, attribute(2, mac), attribute(9, number(3))));
      all.add(message(32 + removed, 0, rule, attribute(1, gateway), attribute(6, number(9))));
      all.add(
          message(
              80 + removed,
              0,
              new byte[] {2, 0, 0, 0},
              attribute(1, number(removed == 0 ? -1 : 2)),
              attribute(3, number(1))));
      all.add(
          message(
              104 + removed,
              0,
              hop,
              attribute(1, number(5)),
              attribute(5, number(2)),
              attribute(6, gateway),
              attribute(2, new byte[8])));
    }
    return all;
  }

  private ByteBuffer mutated(List<byte[]> messages) {
    byte[] datagram = messages.get(random.nextInt(messages.size())).clone();
    if (random.nextInt(4) == 0) {
      datagram = join(datagram, messages.get(random.nextInt(messages.size())));
    }
    for (int i = random.nextInt(6); i > 0; i--) {
      int small = random.nextInt(24);
      datagram[random.nextInt(datagram.length)] =
          (byte) (random.nextBoolean() ? small : random.nextInt(256));
    }
    int length = random.nextInt(8) == 0 ? random.nextInt(datagram.length) : datagram.length;
    return ByteBuffer.wrap(datagram, 0, length).slice().order(ByteOrder.nativeOrder());
  }

  /** A kernel that says what it is given. */
  private static final class Noise implements KernelSource {
    private final List<ByteBuffer> pending = new ArrayList<>();

    @Override
    public KernelTables read() {
      return KernelTables.EMPTY;
    }

    @Override
    public boolean changes(int most, Consumer<KernelChange> consumer) {
      boolean whole = true;
      for (ByteBuffer datagram : pending) {
        whole &=
            NetlinkSubscription.parse(
                datagram,
                change -> {
                  KernelChange read = RtnetlinkSource.change(change);
                  if (read != null) {
                    consumer.accept(read);
                  }
                });
      }
      pending.clear();
      return whole;
    }

    @Override
    public void resolve(int ifIndex, InetAddress address) {
      // Nobody answers.
    }

    @Override
    public void close() {
      pending.clear();
    }
  }

  @Test
  void shouldGoOnWhateverTheKernelSays() {
    List<byte[]> messages = messages();
    Noise kernel = new Noise();
    TakenPort port = new TakenPort(1, "v1", 2, new MacAddress(0x020000000009L), 1500);
    Adjacency host = new Adjacency.Host(9, 1, 2);
    List<Runnable> reading = new ArrayList<>();
    try (Fib fib = new Fib(4096, Runnable::run);
        KernelMirror mirror =
            new KernelMirror(
                kernel, fib, null, host, List.of(port), List.of(), List.of(), reading::add)) {
      for (int round = 0; round < ROUNDS; round++) {
        kernel.pending.add(mutated(messages));
        try {
          mirror.doWork(round);
        } catch (RuntimeException e) {
          throw new AssertionError("seed " + seed + " round " + round, e);
        }
      }
      for (int i : new int[] {8, 0, 2, 4}) { // the link again, as it is; a route, a neighbour
        kernel.pending.add(ByteBuffer.wrap(messages.get(i)).order(ByteOrder.nativeOrder()));
      }
      do {
        mirror.doWork(ROUNDS);
      } while (mirror.isBehind());
      int number = fib.lookup(Objects.requireNonNull(Addresses.parse("10.7.0.1")));
      assertInstanceOf(
          Adjacency.class, number == 0 ? null : fib.adjacencies().get(number), "seed " + seed);
      reading.forEach(Runnable::run);
    }
  }
}
