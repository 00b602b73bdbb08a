package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.gatun.flow.FlowPath.Names;
import io.gatun.packet.Frame;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.PacketBuilder;
import io.gatun.pipeline.DropReason;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** SCTP as scapy makes it, CRC32c and all: INIT and DATA, there and back, IPv4 and IPv6. */
class SctpTest {
  /** As it comes, and as it goes on. */
  private static final String[][] PACKETS = {
    {
      "02000000000202000000000108004500003412344000408413a60a0100020a60000a0fa00050dead"
          + "beef2efac478010000141122334400010000000a000a00000001",
      "020000000002020000000001080045000034123440004084140b0a0100020a0200030fa01f90dead"
          + "beef6ff4e99a010000141122334400010000000a000a00000001"
    },
    {
      "020000000002020000000001080045000034123440004084140b0a0200030a0100021f900fa0dead"
          + "beef4464ff7c010000141122334400010000000a000a00000001",
      "02000000000202000000000108004500003412344000408413a60a60000a0a01000200500fa0dead"
          + "beef3d67323c010000141122334400010000000a000a00000001"
    },
    {
      "02000000000202000000000108004500003c123440004084139e0a0100020a60000a0fa00050dead"
          + "beef58d3d7d90003001b00000007000100020000000368656c6c6f20676174756e00",
      "02000000000202000000000108004500003c12344000408414030a0100020a0200030fa01f90dead"
          + "beef5e836e3b0003001b00000007000100020000000368656c6c6f20676174756e00"
    },
    {
      "02000000000202000000000108004500003c12344000408414030a0200030a0100021f900fa0dead"
          + "beefe15d6dbd0003001b00000007000100020000000368656c6c6f20676174756e00",
      "02000000000202000000000108004500003c123440004084139e0a60000a0a01000200500fa0dead"
          + "beefb93487850003001b00000007000100020000000368656c6c6f20676174756e00"
    },
    {
      "02000000000202000000000186dd6000000000208440fd000000000000000000000000000001fd00"
          + "009600000000000000000000000a0fa00050deadbeef2efac478010000141122334400010000000a"
          + "000a00000001",
      "02000000000202000000000186dd6000000000208440fd000000000000000000000000000001fd00"
          + "00010000000000000000000000090fa01f90deadbeef6ff4e99a010000141122334400010000000a"
          + "000a00000001"
    },
    {
      "02000000000202000000000186dd6000000000208440fd000001000000000000000000000009fd00"
          + "00000000000000000000000000011f900fa0deadbeef4464ff7c010000141122334400010000000a"
          + "000a00000001",
      "02000000000202000000000186dd6000000000208440fd00009600000000000000000000000afd00"
          + "000000000000000000000000000100500fa0deadbeef3d67323c010000141122334400010000000a"
          + "000a00000001"
    },
    {
      "02000000000202000000000186dd6000000000288440fd000000000000000000000000000001fd00"
          + "009600000000000000000000000a0fa00050deadbeef58d3d7d90003001b00000007000100020000"
          + "000368656c6c6f20676174756e00",
      "02000000000202000000000186dd6000000000288440fd000000000000000000000000000001fd00"
          + "00010000000000000000000000090fa01f90deadbeef5e836e3b0003001b00000007000100020000"
          + "000368656c6c6f20676174756e00"
    },
    {
      "02000000000202000000000186dd6000000000288440fd000001000000000000000000000009fd00"
          + "00000000000000000000000000011f900fa0deadbeefe15d6dbd0003001b00000007000100020000"
          + "000368656c6c6f20676174756e00",
      "02000000000202000000000186dd6000000000288440fd00009600000000000000000000000afd00"
          + "000000000000000000000000000100500fa0deadbeefb93487850003001b00000007000100020000"
          + "000368656c6c6f20676174756e00"
    }
  };

  private final FlowPath path = new FlowPath();

  @BeforeEach
  void flows() {
    for (boolean ipv6 : new boolean[] {false, true}) {
      Names n = Names.of(ipv6);
      path.flow(
          IpProtocol.SCTP, n.client(), 4000, n.front(), 80, n.client(), 4000, n.endpoint(), 8080);
    }
  }

  @AfterEach
  void close() {
    path.close();
  }

  @Test
  void shouldTranslateWithTheRightCrc() {
    for (String[] pair : PACKETS) {
      assertEquals(Frame.hex(Frame.unhex(pair[1])), Frame.hex(path.pass(Frame.unhex(pair[0]))));
    }
    assertEquals(
        List.of(FlowState.SCTP, FlowState.SCTP),
        path.flows.copies(f -> true, 9, 0).stream().map(FlowCopy::state).toList());
  }

  /** What was damaged on its way must not become whole by being translated. */
  @Test
  void shouldLeaveAWrongCrcWrong() {
    for (String[] pair : PACKETS) {
      byte[] damaged = Frame.unhex(pair[0]);
      byte[] right = Frame.unhex(pair[1]);
      damaged[damaged.length - 2] ^= 16;
      right[right.length - 2] ^= 16;
      byte[] passed = path.pass(damaged);
      CRC32C crc = new CRC32C();
      int l4 = passed[12] == 8 ? 34 : 54;
      int field = ByteBuffer.wrap(passed).getInt(l4 + 8);
      ByteBuffer.wrap(passed).putInt(l4 + 8, 0);
      crc.update(passed, l4, passed.length - l4);
      assertNotEquals(Integer.reverseBytes((int) crc.getValue()), field);
      ByteBuffer.wrap(right).putInt(l4 + 8, 0);
      assertEquals(Frame.hex(right), Frame.hex(passed), "all but the CRC");
    }
  }

  @Test
  void shouldRefuseAFragmentWhoseCrcCannotBeKnown() {
    Names n = Names.of(false);
    path.pass(PacketBuilder.ip(n.client(), n.front()).sctp(4000, 80).payload(12).fragment(0, true));
    assertEquals(DropReason.FRAGMENT_UNSUPPORTED.code(), path.v.dropReason[0]);
  }

  /** The CRC covers no addresses. */
  @Test
  void shouldPassAFragmentWhosePortsStay() {
    Names n = Names.of(false);
    path.flow(IpProtocol.SCTP, n.client(), 4001, n.front(), 81, n.client(), 4001, n.endpoint(), 81);
    path.assertPasses(
        PacketBuilder.ip(n.client(), n.front()).sctp(4001, 81).payload(12).fragment(0, true),
        PacketBuilder.ip(n.client(), n.endpoint()).sctp(4001, 81).payload(12).fragment(0, true));
  }

  /** Quotes of SCTP are mostly cut: then the CRC, of a packet that is not there, stays. */
  @Test
  void shouldTranslateQuotesCutOrWhole() {
    for (int k = 0; k < PACKETS.length; k += 2) {
      boolean ipv6 = k >= 4;
      Names n = Names.of(ipv6);
      int header = ipv6 ? 40 : 20;
      byte[] known = quoted(PACKETS[k][0]);
      byte[] onWire = quoted(PACKETS[k][1]);
      boolean there = known[header] == 4000 >>> 8;
      if (!there) {
        continue;
      }
      int type = ipv6 ? 3 : 11;
      path.assertPasses(error(n, type, onWire, onWire.length), error(n, type, known, known.length));
      byte[] cut = known.clone();
      System.arraycopy(onWire, header + 8, cut, header + 8, 4);
      path.assertPasses(error(n, type, onWire, header + 20), error(n, type, cut, header + 20));
    }
  }

  private static byte[] quoted(String frame) {
    byte[] bytes = Frame.unhex(frame);
    return java.util.Arrays.copyOfRange(bytes, 14, bytes.length);
  }

  private static PacketBuilder error(Names n, int type, byte[] about, int bytes) {
    return PacketBuilder.ip(n.router(), n.client())
        .icmpError(type, 0, 0, java.util.Arrays.copyOf(about, bytes));
  }
}
