package io.gatun.packet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChecksumTest {
  @Test
  void shouldSumTheExampleOfRfc1071() {
    try (Frame frame =
        Frame.of(
            new byte[] {
              0, 1, (byte) 0xf2, 3, (byte) 0xf4, (byte) 0xf5, (byte) 0xf6, (byte) 0xf7
            })) {
      assertEquals(0xddf2, Checksum.sum(frame.address(), 8));
    }
  }

  @Test
  void shouldEqualTheWordByWordSumAtEveryLengthAndAlignment() {
    byte[] bytes = new byte[96];
    new Random(1071).nextBytes(bytes);
    try (Frame frame = Frame.of(bytes)) {
      for (int start = 0; start < 9; start++) {
        for (int n = 0; n <= bytes.length - start; n++) {
          long sum = 0;
          for (int i = 0; i < n; i++) {
            sum += (bytes[start + i] & 0xFFL) << (i % 2 == 0 ? 8 : 0);
          }
          assertEquals(Checksum.fold(sum), Checksum.sum(frame.address() + start, n));
        }
      }
    }
  }

  @Test
  void shouldNotLoseCarries() {
    byte[] bytes = new byte[65_535];
    java.util.Arrays.fill(bytes, (byte) 0xFF);
    try (Frame frame = Frame.of(bytes)) {
      assertEquals(0xFFFF, Checksum.sum(frame.address(), 65_534));
      assertEquals(0xFF00, Checksum.sum(frame.address(), 65_535));
    }
    assertEquals(1, Checksum.fold(0xFFFF_FFFFL + 1));
    assertEquals(0xFFFF, Checksum.fold(Long.MAX_VALUE / 0xFFFF * 0xFFFF));
  }

  @Test
  void shouldUpdateAsTheExampleOfRfc1624() {
    // RFC 1624, 4: HC 0xDD2F, m 0x5555, m' 0x3285; the update of RFC 1141 gives 0xFFFF.
    assertEquals(0x0000, Checksum.update(0xDD2F, Checksum.delta16(0x5555, 0x3285)));
  }

  @ParameterizedTest
  @ValueSource(ints = {6, 17})
  void shouldUpdateToWhatAFreshSumGives(int protocol) {
    Random random = new Random(1624);
    for (int n = 0; n < 2000; n++) {
      int to = random.nextInt();
      int port = random.nextInt(65_536);
      String source = "10.1.2.3";
      byte[] before = built(protocol, source, "192.0.2.1", 80, n % 50);
      byte[] after = built(protocol, source, Ipv4.printAddress(to), port, n % 50);
      try (Frame frame = Frame.of(before)) {
        long l3 = frame.address() + 14;
        long l4 = l3 + 20;
        int addresses = Checksum.delta32(Ipv4.destination(l3), to);
        int all = Checksum.combine(addresses, Checksum.delta16(80, port));
        Ipv4.destination(l3, to);
        Ipv4.updateChecksum(l3, addresses);
        Memory.putShortBe(l4 + 2, port);
        if (protocol == IpProtocol.TCP) {
          Tcp.updateChecksum(l4, all);
        } else {
          Udp.updateChecksum(l4, all);
        }
        assertEquals(Frame.hex(after), Frame.hex(frame.bytes()));
        assertEquals(0xFFFF, Checksum.combine(all, Checksum.inverse(all)));
      }
    }
  }

  private static byte[] built(int protocol, String from, String to, int port, int payload) {
    PacketBuilder packet = PacketBuilder.ipv4(from, to).payload(payload);
    return (protocol == 6 ? packet.tcp(40_000, port) : packet.udp(40_000, port)).bytes();
  }

  @Test
  void shouldKeepUdpWithoutChecksumAndNeverComputeOne() {
    assertEquals(0, Checksum.updateUdp(0, 0x1234));
    assertEquals(0xFFFF, Checksum.updateUdp(0xDD2F, Checksum.delta16(0x5555, 0x3285)));
    assertEquals(0xFFFF, Checksum.complementUdp(0xFFFF));
    assertEquals(0x0000, Checksum.complement(0xFFFF));
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.1", "2001:db8::1"})
  void shouldTellAndCompletePartialChecksums(String address) {
    for (int payload = 0; payload < 200; payload++) {
      for (boolean tcp : new boolean[] {true, false}) {
        PacketBuilder packet = PacketBuilder.ip(address, address).payload(payload);
        packet = tcp ? packet.tcp(1, 2) : packet.udp(1, 2);
        byte[] whole = packet.bytes();
        try (Frame frame = Frame.of(packet.partialChecksum().bytes())) {
          boolean v4 = address.indexOf(':') < 0;
          long l3 = frame.address() + 14;
          int header = v4 ? 20 : 40;
          int bytes = frame.length() - 14 - header;
          int protocol = tcp ? 6 : 17;
          int at = tcp ? Tcp.CHECKSUM : Udp.CHECKSUM;
          int pseudo =
              v4
                  ? Checksum.pseudoHeaderV4(l3, protocol, bytes)
                  : Checksum.pseudoHeaderV6(l3, protocol, bytes);
          long l4 = l3 + header;
          assertTrue(Checksum.partial(Memory.getShortBe(l4 + at), pseudo));
          Checksum.complete(l4, bytes, at);
          assertEquals(Frame.hex(whole), Frame.hex(frame.bytes()));
          assertTrue(Checksum.correct(l4, bytes, pseudo));
          Memory.putByte(l4, Memory.getByte(l4) ^ 1);
          assertFalse(Checksum.correct(l4, bytes, pseudo));
        }
      }
    }
  }

  @Test
  void shouldKnowBothZerosOfAPartialField() {
    assertTrue(Checksum.partial(0, 0xFFFF));
    assertTrue(Checksum.partial(0xFFFF, 0xFFFF));
    assertFalse(Checksum.partial(1, 0xFFFF));
  }
}
