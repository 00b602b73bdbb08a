package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.packet.Frame;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * Whether a frame was forwarded rightly, worked out anew from its bytes and by none of the code
 * that forwards: sums word by word, headers by the RFCs. For the node of {@link NodeInMemory}.
 */
final class Judge {
  private static final Set<String> FRONTS =
      Set.of(
          "0a60000a",
          "0a600014",
          "0a60001e",
          "c0a80002",
          "fd960000000000000000000000000010",
          "fd960000000000000000000000000020",
          "fd960000000000000000000000000030",
          "fd000000000000000000000000000002");
  private static final Set<String> ENDPOINTS =
      Set.of(
          "0a020003",
          "0a010002",
          "fd020000000000000000000000000003",
          "fd010000000000000000000000000002");
  private static final String[] LINKS = {"02cc00000002eeeeeeeeeeee", "02bb0000000102aa00000001"};

  private static final Set<String> NODE = Set.of("c0a80002", "fd000000000000000000000000000002");
  private static final String PODS_4 = "0a01";
  private static final String PODS_6 = "fd01";

  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ICMP = 1;
  private static final int ICMPV6 = 58;
  private static final int SCTP = 132;

  private Judge() {}

  /** One frame taken apart, as a reader of the RFCs would. */
  private static final class Packet {
    final byte[] bytes;
    final int l3;
    final boolean six;
    final int total;
    int l4;
    int protocol;

    /** A fragment that is not the first: no transport header. */
    boolean later;

    Packet(byte[] frame) {
      int at = 12;
      while (u16(frame, at) == 0x8100 || u16(frame, at) == 0x88A8) {
        at += 4;
      }
      bytes = frame;
      l3 = at + 2;
      six = u16(frame, at) == 0x86DD;
      assertTrue(six || u16(frame, at) == 0x0800, "neither IPv4 nor IPv6");
      if (six) {
        total = 40 + u16(frame, l3 + 4);
        walk(frame[l3 + 6] & 0xFF);
      } else {
        total = u16(frame, l3 + 2);
        l4 = l3 + (frame[l3] & 15) * 4;
        protocol = frame[l3 + 9] & 0xFF;
        later = (u16(frame, l3 + 6) & 0x1FFF) != 0;
      }
    }

    private void walk(int first) {
      int next = first;
      l4 = l3 + 40;
      while (next == 0 || next == 43 || next == 44 || next == 51 || next == 60 || next == 135) {
        int length = bytes[l4 + 1] & 0xFF;
        later = next == 44 && (u16(bytes, l4 + 2) & ~7) != 0;
        int bytesOf = next == 44 ? 8 : next == 51 ? 4 * (length + 2) : 8 * (length + 1);
        next = bytes[l4] & 0xFF;
        l4 += bytesOf;
        if (later) {
          break;
        }
      }
      protocol = next;
    }

    int end() {
      return l3 + total;
    }

    String source() {
      return hex(six ? l3 + 8 : l3 + 12, six ? 16 : 4);
    }

    String destination() {
      return hex(six ? l3 + 24 : l3 + 16, six ? 16 : 4);
    }

    String hex(int at, int length) {
      return Frame.hex(Arrays.copyOfRange(bytes, at, at + length)).replace(" ", "");
    }

    int pseudoHeader() {
      return sum(bytes, six ? l3 + 8 : l3 + 12, six ? 32 : 8, protocol + end() - l4);
    }

    /** Of the transport checksum: what is too much or too little; equal sums are both right. */
    int residue() {
      int start = protocol == ICMP ? 0 : pseudoHeader();
      return sum(bytes, l4, end() - l4, start) % 0xFFFF;
    }

    /** SCTP's, as a stack writes it that leaves it to its device. */
    boolean leavesCrc() {
      return protocol == SCTP && !later && crc() == 0;
    }

    int crc() {
      return ByteBuffer.wrap(bytes).getInt(l4 + 8);
    }

    int rightCrc() {
      byte[] packet = Arrays.copyOfRange(bytes, l4, end());
      ByteBuffer.wrap(packet).putInt(8, 0);
      CRC32C right = new CRC32C();
      right.update(packet);
      return Integer.reverseBytes((int) right.getValue());
    }

    int checksum() {
      return switch (protocol) {
        case TCP -> u16(bytes, l4 + 16);
        case UDP -> u16(bytes, l4 + 6);
        default -> -1;
      };
    }
  }

  static void sent(byte[] frame, byte[] out, int port, boolean translated, boolean partial) {
    Packet a = new Packet(frame);
    Packet b = new Packet(out);
    link(a, b, port);
    assertEquals(14 + a.total, out.length, "length");
    if (a.six) {
      assertEquals(a.hex(a.l3, 7), b.hex(14, 7), "IPv6 header");
      assertEquals((a.bytes[a.l3 + 7] & 0xFF) - 1, b.bytes[14 + 7] & 0xFF, "hop limit");
    } else {
      assertEquals(a.hex(a.l3, 8), b.hex(14, 8), "IPv4 header");
      assertEquals((a.bytes[a.l3 + 8] & 0xFF) - 1, b.bytes[14 + 8] & 0xFF, "TTL");
      assertEquals(a.bytes[a.l3 + 9], b.bytes[14 + 9], "protocol");
      assertEquals(a.hex(a.l3 + 20, a.l4 - a.l3 - 20), b.hex(34, b.l4 - 34), "options");
      assertEquals(0xFFFF, sum(out, 14, b.l4 - 14, 0), "header checksum");
    }
    boolean moved = !a.source().equals(b.source()) || !a.destination().equals(b.destination());
    assertTrue(translated || !moved, "new addresses without a translation");
    int from = a.l4;
    if (translated) {
      assertTrue(
          (FRONTS.contains(a.destination()) && ENDPOINTS.contains(b.destination()))
              || (ENDPOINTS.contains(a.source()) && FRONTS.contains(b.source()))
              || leaves(a, b)
              || comesBack(a, b)
              || (!moved && isPod(a.source()) != isPod(a.destination()))
              || a.protocol == (a.six ? ICMPV6 : ICMP),
          () -> a.source() + " > " + a.destination() + " is no Service's");
      if (!a.later) {
        from = translated(a, b, partial);
      }
    }
    if (a.leavesCrc()) {
      assertTrue(b.leavesCrc() || b.crc() == b.rightCrc(), "CRC32c");
      from = Math.max(from, a.l4 + 12);
    }
    assertArrayEquals(
        Arrays.copyOfRange(frame, from, a.end()),
        Arrays.copyOfRange(out, from - a.l3 + 14, out.length),
        "payload");
  }

  /** A pod's packet to the outside. */
  private static boolean leaves(Packet a, Packet b) {
    return isPod(a.source())
        && NODE.contains(b.source())
        && !isPod(a.destination())
        && a.destination().equals(b.destination());
  }

  private static boolean comesBack(Packet a, Packet b) {
    return !isPod(a.source())
        && a.source().equals(b.source())
        && NODE.contains(a.destination())
        && isPod(b.destination());
  }

  private static boolean isPod(String address) {
    return address.startsWith(address.length() == 8 ? PODS_4 : PODS_6);
  }

  /** Returns where the part begins that must be the same. */
  private static int translated(Packet a, Packet b, boolean partial) {
    if (a.protocol == (a.six ? ICMPV6 : ICMP)) {
      assertEquals(a.residue(), b.residue(), "ICMP checksum");
      assertEquals(a.hex(a.l4, 2), b.hex(b.l4, 2), "type and code");
      return a.end(); // what is quoted IcmpErrorStageTest looks at
    }
    if (a.protocol == SCTP) {
      return a.l4 + 12; // SctpTest looks at the CRC
    }
    assertTrue(a.protocol == TCP || a.protocol == UDP, "a protocol without ports");
    int checksum = a.protocol == TCP ? 16 : 6;
    if (a.protocol == UDP && a.checksum() == 0) {
      assertEquals(0, b.checksum(), "no UDP checksum stays none");
    } else if (partial) {
      assertEquals(b.pseudoHeader() % 0xFFFF, b.checksum() % 0xFFFF, "partial checksum");
    } else {
      assertEquals(a.residue(), b.residue(), "transport checksum");
    }
    assertEquals(a.hex(a.l4 + 4, checksum - 4), b.hex(b.l4 + 4, checksum - 4));
    return a.l4 + checksum + 2;
  }

  static void answered(byte[] frame, byte[] out, int port) {
    Packet a = new Packet(frame);
    Packet b = new Packet(out);
    link(a, b, port);
    assertEquals(a.source(), b.destination(), "the answer's destination");
    assertEquals(14 + b.total, out.length, "length");
    assertEquals(64, out[a.six ? 21 : 22], "TTL");
    if (!a.six) {
      assertEquals(0xFFFF, sum(out, 14, b.l4 - 14, 0), "header checksum");
    }
    assertEquals(0, b.residue(), "transport checksum");
    if (b.protocol == TCP) {
      assertTrue((out[b.l4 + 13] & 4) != 0, "a reset");
      return;
    }
    assertEquals(a.six ? ICMPV6 : ICMP, b.protocol);
    int type = out[b.l4] & 0xFF;
    if (type != 0 && type != 129) { // an error: it quotes addresses as its sender wrote them
      int at = a.six ? 8 : 12;
      int length = a.six ? 32 : 8;
      assertEquals(a.hex(a.l3 + at, length), b.hex(b.l4 + 8 + at, length), "quoted addresses");
    }
  }

  private static void link(Packet a, Packet b, int port) {
    assertEquals(LINKS[port], b.hex(0, 12), "link addresses");
    assertEquals(14, b.l3, "a tag stayed");
    assertEquals(a.six, b.six, "family");
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
  }

  /** RFC 1071 as it is written: word by word. */
  private static int sum(byte[] bytes, int at, int length, int start) {
    long sum = start;
    for (int i = 0; i < length; i++) {
      sum += (long) (bytes[at + i] & 0xFF) << (i % 2 == 0 ? 8 : 0);
    }
    while (sum >>> 16 != 0) {
      sum = (sum & 0xFFFF) + (sum >>> 16);
    }
    return (int) sum;
  }
}
