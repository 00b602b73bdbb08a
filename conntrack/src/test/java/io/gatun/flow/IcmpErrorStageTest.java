package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.gatun.flow.FlowPath.Names;
import io.gatun.packet.Frame;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An error in, the same error about the sender's own packet out: exact bytes. */
class IcmpErrorStageTest {
  /** Type, code and second word of every error that is about a flow. */
  private static final int[][] ERRORS_V4 = {
    {3, 3, 0}, {3, 4, 1400}, {4, 0, 0}, {11, 0, 0}, {12, 0, 1}
  };

  private static final int[][] ERRORS_V6 = {{1, 4, 0}, {2, 0, 1400}, {3, 0, 0}, {4, 1, 6}};

  private final FlowPath path = new FlowPath();

  @AfterEach
  void close() {
    path.close();
  }

  static Stream<Arguments> cases() {
    return Stream.of(false, true)
        .flatMap(ipv6 ->
            Stream.of(IpProtocol.TCP, IpProtocol.UDP)
                .flatMap(protocol ->
                    Arrays.stream(ipv6 ? ERRORS_V6 : ERRORS_V4)
                        .map(error -> Arguments.of(ipv6, protocol, error[0], error[1], error[2]))));
  }

  private static PacketBuilder packet(
      int protocol, String from, int fromPort, String to, int toPort) {
    PacketBuilder ip = PacketBuilder.ip(from, to).payload(40).ttl(1);
    return protocol == IpProtocol.TCP
        ? ip.tcp(fromPort, toPort).flags(Tcp.ACK).sequence(77)
        : ip.udp(fromPort, toPort);
  }

  private static PacketBuilder error(
      String from, String to, int type, int code, int rest, PacketBuilder about, int bytes) {
    byte[] packet = about.packet();
    return PacketBuilder.ip(from, to)
        .icmpError(type, code, rest, Arrays.copyOf(packet, Math.min(bytes, packet.length)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void shouldTellTheClientAboutItsOwnPacket(
      boolean ipv6, int protocol, int type, int code, int rest) {
    Names n = Names.of(ipv6);
    path.flow(protocol, n.client(), 4000, n.front(), 80, n.client(), 4000, n.endpoint(), 8080);
    PacketBuilder ours = packet(protocol, n.client(), 4000, n.endpoint(), 8080);
    PacketBuilder theirs = packet(protocol, n.client(), 4000, n.front(), 80);
    int header = ipv6 ? 40 : 20;
    for (int quoted : new int[] {header + 8, header + 12, header + 18, header + 28, 500}) {
      path.assertPasses(
          error(n.router(), n.client(), type, code, rest, ours, quoted),
          error(n.router(), n.client(), type, code, rest, theirs, quoted));
      assertTrue((path.v.flags[0] & PacketVector.TRANSLATED) != 0);
      // The endpoint itself reports: the client knows it as the front.
      path.assertPasses(
          error(n.endpoint(), n.client(), type, code, rest, ours, quoted),
          error(n.front(), n.client(), type, code, rest, theirs, quoted));
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void shouldTellTheEndpointAboutItsReply(
      boolean ipv6, int protocol, int type, int code, int rest) {
    Names n = Names.of(ipv6);
    path.flow(protocol, n.client(), 4000, n.front(), 80, n.client(), 4000, n.endpoint(), 8080);
    PacketBuilder ours = packet(protocol, n.front(), 80, n.client(), 4000);
    PacketBuilder theirs = packet(protocol, n.endpoint(), 8080, n.client(), 4000);
    path.assertPasses(
        error(n.router(), n.front(), type, code, rest, ours, 60),
        error(n.router(), n.endpoint(), type, code, rest, theirs, 60));
    path.assertPasses(
        error(n.client(), n.front(), type, code, rest, ours, 60),
        error(n.client(), n.endpoint(), type, code, rest, theirs, 60));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void shouldSeeThroughAMasquerade(boolean ipv6, int protocol, int type, int code, int rest) {
    Names n = Names.of(ipv6);
    path.flow(protocol, n.client(), 4000, n.front(), 80, n.node(), 61_000, n.endpoint(), 8080);
    path.assertPasses(
        error(
            n.router(),
            n.node(),
            type,
            code,
            rest,
            packet(protocol, n.node(), 61_000, n.endpoint(), 8080),
            60),
        error(
            n.router(),
            n.client(),
            type,
            code,
            rest,
            packet(protocol, n.client(), 4000, n.front(), 80),
            60));
    // Towards the endpoint even the reporter is hidden: its address may mean nothing there.
    path.assertPasses(
        error(
            n.router(),
            n.front(),
            type,
            code,
            rest,
            packet(protocol, n.front(), 80, n.client(), 4000),
            60),
        error(
            n.node(),
            n.endpoint(),
            type,
            code,
            rest,
            packet(protocol, n.endpoint(), 8080, n.node(), 61_000),
            60));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLeaveQuotedChecksumsAsTheyWere(boolean ipv6) {
    Names n = Names.of(ipv6);
    int type = ipv6 ? 3 : 11;
    for (int protocol : new int[] {IpProtocol.TCP, IpProtocol.UDP}) {
      path.flow(protocol, n.client(), 4000, n.front(), 80, n.client(), 4000, n.endpoint(), 8080);
      path.assertPasses(
          error(
              n.router(),
              n.client(),
              type,
              0,
              0,
              packet(protocol, n.client(), 4000, n.endpoint(), 8080).partialChecksum(),
              500),
          error(
              n.router(),
              n.client(),
              type,
              0,
              0,
              packet(protocol, n.client(), 4000, n.front(), 80).partialChecksum(),
              500));
    }
    path.assertPasses(
        error(
            n.router(),
            n.client(),
            type,
            0,
            0,
            packet(IpProtocol.UDP, n.client(), 4000, n.endpoint(), 8080).checksum(0),
            500),
        error(
            n.router(),
            n.client(),
            type,
            0,
            0,
            packet(IpProtocol.UDP, n.client(), 4000, n.front(), 80).checksum(0),
            500));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTranslateErrorsAboutEchoRequests(boolean ipv6) {
    Names n = Names.of(ipv6);
    int icmp = ipv6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP;
    String outside = n.endpoint();
    path.flow(icmp, n.client(), 7, outside, 7, n.node(), 61_000, outside, 61_000);
    int type = ipv6 ? 3 : 11;
    path.assertPasses(
        error(
            n.router(),
            n.node(),
            type,
            0,
            0,
            PacketBuilder.ip(n.node(), outside).echo(61_000, 3).payload(9),
            500),
        error(
            n.router(),
            n.client(),
            type,
            0,
            0,
            PacketBuilder.ip(n.client(), outside).echo(7, 3).payload(9),
            500));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLookBehindOptionsAndExtensionsOfTheQuote(boolean ipv6) {
    Names n = Names.of(ipv6);
    path.flow(
        IpProtocol.UDP, n.client(), 4000, n.front(), 80, n.client(), 4000, n.endpoint(), 8080);
    PacketBuilder ours = packet(IpProtocol.UDP, n.client(), 4000, n.endpoint(), 8080);
    PacketBuilder theirs = packet(IpProtocol.UDP, n.client(), 4000, n.front(), 80);
    if (ipv6) {
      ours.extension(IpProtocol.DESTINATION_OPTIONS, 2);
      theirs.extension(IpProtocol.DESTINATION_OPTIONS, 2);
    } else {
      ours.options(12);
      theirs.options(12);
    }
    int type = ipv6 ? 3 : 11;
    path.assertPasses(
        error(n.router(), n.client(), type, 0, 0, ours, 500),
        error(n.router(), n.client(), type, 0, 0, theirs, 500));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLeaveOtherErrorsAlone(boolean ipv6) {
    Names n = Names.of(ipv6);
    path.flow(
        IpProtocol.UDP, n.client(), 4000, n.front(), 80, n.client(), 4000, n.endpoint(), 8080);
    PacketBuilder ours = packet(IpProtocol.UDP, n.client(), 4000, n.endpoint(), 8080);
    int type = ipv6 ? 3 : 11;
    int header = ipv6 ? 40 : 20;
    for (int quoted : new int[] {0, 1, header - 1, header, header + 7}) {
      path.assertUntouched(error(n.router(), n.client(), type, 0, 0, ours, quoted));
    }
    path.assertUntouched(
        error(
            n.router(),
            n.client(),
            type,
            0,
            0,
            packet(IpProtocol.UDP, n.client(), 4001, n.endpoint(), 8080),
            500));
    path.assertUntouched(
        error(
            n.router(),
            n.client(),
            type,
            0,
            0,
            packet(IpProtocol.UDP, n.client(), 4000, n.endpoint(), 8080).fragment(8, false),
            500));
    path.assertUntouched(
        PacketBuilder.ip(n.router(), n.client())
            .icmpError(type, 0, 0, packet(17, "10.9.9.9", 4000, "10.9.9.8", 1).packet()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRefuseErrorsAboutErrorsAndForSomebodyElse(boolean ipv6) {
    Names n = Names.of(ipv6);
    path.flow(
        IpProtocol.UDP, n.client(), 4000, n.front(), 80, n.client(), 4000, n.endpoint(), 8080);
    PacketBuilder ours = packet(IpProtocol.UDP, n.client(), 4000, n.endpoint(), 8080);
    int type = ipv6 ? 1 : 3;
    PacketBuilder first = error(n.client(), n.endpoint(), type, 3, 0, ours, 500);
    path.assertDrops(
        DropReason.BAD_ICMP_QUOTE, error(n.router(), n.client(), type, 3, 0, first, 500));
    path.assertDrops(DropReason.BAD_ICMP_QUOTE, error(n.router(), n.node(), type, 3, 0, ours, 500));
  }

  @Test
  void shouldNotMakeAWrongChecksumRight() {
    Names n = Names.of(false);
    path.flow(6, n.client(), 4000, n.front(), 80, n.client(), 4000, n.endpoint(), 8080);
    byte[] out =
        path.pass(
            error(
                    n.router(),
                    n.client(),
                    11,
                    0,
                    0,
                    packet(6, n.client(), 4000, n.endpoint(), 8080),
                    60)
                .checksum(0x1234));
    byte[] right =
        error(n.router(), n.client(), 11, 0, 0, packet(6, n.client(), 4000, n.front(), 80), 60)
            .bytes();
    assertEquals(
        Frame.hex(Arrays.copyOf(right, 36)), Frame.hex(Arrays.copyOf(out, 36)), "up to the field");
    assertTrue(right[36] != out[36] || right[37] != out[37]);
  }

  /** Random quotes: never beyond the frame (the memory checks say so), never an exception. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldReadNothingBeyondTheFrame(boolean ipv6) {
    assumeFalse(!io.gatun.ffm.memory.Memory.CHECKS);
    Names n = Names.of(ipv6);
    for (int protocol : new int[] {1, 6, 17, 58, 132}) {
      path.flow(protocol, n.client(), 4000, n.front(), 80, n.client(), 4000, n.endpoint(), 8080);
    }
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int[] protocols = {0, 1, 6, 17, 43, 44, 58, 60, 132};
    try {
      for (int round = 0; round < 20_000; round++) {
        byte[] quote = packet(17, n.client(), 4000, n.endpoint(), 8080).packet();
        quote[ipv6 ? 6 : 9] = (byte) protocols[random.nextInt(protocols.length)];
        for (int k = random.nextInt(3); k > 0; k--) {
          int at = random.nextInt(Math.min(quote.length, 64));
          if (!ipv6 || at < 8 || at >= 40) {
            quote[at] = (byte) random.nextInt(256);
          }
        }
        int length = random.nextInt(quote.length + 1);
        int type = ipv6 ? 1 + random.nextInt(4) : 11;
        path.pass(
            PacketBuilder.ip(n.router(), n.client())
                .icmpError(type, 0, 0, Arrays.copyOf(quote, length)));
      }
    } catch (RuntimeException e) {
      throw new AssertionError("seed " + seed, e);
    }
  }
}
