package io.gatun.port.xdp;

import static io.gatun.ffm.bpf.BpfAssembler.R0;
import static io.gatun.ffm.bpf.BpfAssembler.R1;
import static io.gatun.ffm.bpf.BpfAssembler.R10;
import static io.gatun.ffm.bpf.BpfAssembler.R2;
import static io.gatun.ffm.bpf.BpfAssembler.R3;
import static io.gatun.ffm.bpf.BpfAssembler.R4;
import static io.gatun.ffm.bpf.BpfAssembler.R5;
import static io.gatun.ffm.bpf.BpfAssembler.R6;
import static io.gatun.ffm.bpf.BpfAssembler.R7;
import static io.gatun.ffm.bpf.BpfAssembler.Width.BYTE;
import static io.gatun.ffm.bpf.BpfAssembler.Width.INT;
import static io.gatun.ffm.bpf.BpfAssembler.Width.LONG;
import static io.gatun.ffm.bpf.BpfAssembler.Width.SHORT;

import io.gatun.ffm.bpf.Bpf;
import io.gatun.ffm.bpf.BpfAssembler;
import io.gatun.ffm.bpf.BpfAssembler.Alu;
import io.gatun.ffm.bpf.BpfAssembler.If;
import io.gatun.ffm.xdp.Xdp;
import io.gatun.packet.IpProtocol;
import org.jspecify.annotations.Nullable;

/**
 * The program that feeds our sockets. It decides one thing: ours, or the kernel's. In order:
 *
 * <ol>
 *   <li>the lease has run out → kernel (first, so that a hung process, whose sockets are still
 *       there, loses its traffic as a dead one does)
 *   <li>group or broadcast destination → kernel; on an uplink also any MAC but the interface's own;
 *       on a bridge's port any that is not switched ({@link BridgedMacs})
 *   <li>neither IPv4 nor IPv6, which includes VLAN tags → kernel
 *   <li>IPv6 to or from fe80::/10, and neighbour discovery → kernel
 *   <li>on an uplink, what is for the node itself → kernel ({@link OwnAddressCheck})
 *   <li>the rest → the socket of the queue; none there → dropped, which is the hold
 * </ol>
 *
 * A frame too short for its headers is ours: dropped with its reason counted.
 */
final class Stub {
  private static final int ETHERNET = 14;
  private static final int ETHERTYPE_AT = 12;
  private static final int IPV6_HEADER = 40;
  private static final int NEXT_HEADER_AT = ETHERNET + 6;
  private static final int IPV6_SOURCE_AT = ETHERNET + 8;
  private static final int IPV6_DESTINATION_AT = ETHERNET + 24;
  private static final int ICMPV6_TYPE_AT = ETHERNET + IPV6_HEADER;

  /** RFC 4861: router solicitation 133, advertisement, neighbour solicitation, …, redirect 137. */
  private static final int FIRST_DISCOVERY = 133;

  private static final int LAST_DISCOVERY = 137;

  // What two bytes of the wire look like to a little-endian load.
  private static final int ETHERTYPE_IPV4 = 0x0008;
  private static final int ETHERTYPE_IPV6 = 0xDD86;
  private static final int LINK_LOCAL = 0x80FE;
  private static final int LINK_LOCAL_MASK = 0xC0FF;

  private Stub() {}

  /**
   * The program for one interface.
   *
   * @param mac the interface's own address, 48 bits
   * @param bridged null for what is never a bridge's port
   */
  static BpfAssembler assemble(
      XdpRole role,
      long mac,
      int leaseFd,
      int xskMapFd,
      OwnTraffic own,
      @Nullable BridgedMacs bridged) {
    boolean uplink = role == XdpRole.UPLINK;
    BpfAssembler program = new BpfAssembler();
    program
        .moveRegister(R6, R1)
        .call(Bpf.FUNC_KTIME_GET_NS)
        .loadMapValue(R7, leaseFd, 0)
        .load(LONG, R7, R7, 0)
        .jumpIfRegister(If.GE, R0, R7, "kernel")
        .load(INT, R2, R6, Xdp.MD_DATA)
        .load(INT, R3, R6, Xdp.MD_DATA_END)
        .moveRegister(R4, R2)
        .alu(Alu.ADD, R4, ETHERNET)
        .jumpIfRegister(If.GT, R4, R3, "ours")
        .load(BYTE, R5, R2, 0)
        .jumpIf(If.SET, R5, 1, "kernel");
    if (uplink) {
      program
          .load(INT, R5, R2, 0)
          .jumpIfInt(If.NE, R5, Integer.reverseBytes((int) (mac >>> 16)), "kernel")
          .load(SHORT, R5, R2, 4)
          .jumpIf(If.NE, R5, Short.reverseBytes((short) mac) & 0xFFFF, "kernel");
    }
    if (bridged != null) {
      appendBridged(program, bridged);
    }
    String ipv6 = uplink ? "ipv6" : "ours";
    program
        .load(SHORT, R5, R2, ETHERTYPE_AT)
        .jumpIf(If.EQ, R5, ETHERTYPE_IPV4, uplink ? "ipv4" : "ours")
        .jumpIf(If.NE, R5, ETHERTYPE_IPV6, "kernel")
        .moveRegister(R4, R2)
        .alu(Alu.ADD, R4, ETHERNET + IPV6_HEADER)
        .jumpIfRegister(If.GT, R4, R3, "ours")
        .load(SHORT, R5, R2, IPV6_SOURCE_AT)
        .alu(Alu.AND, R5, LINK_LOCAL_MASK)
        .jumpIf(If.EQ, R5, LINK_LOCAL, "kernel")
        .load(SHORT, R5, R2, IPV6_DESTINATION_AT)
        .alu(Alu.AND, R5, LINK_LOCAL_MASK)
        .jumpIf(If.EQ, R5, LINK_LOCAL, "kernel")
        .load(BYTE, R5, R2, NEXT_HEADER_AT)
        .jumpIf(If.NE, R5, IpProtocol.ICMPV6, ipv6)
        .alu(Alu.ADD, R4, 1)
        .jumpIfRegister(If.GT, R4, R3, "ours")
        .load(BYTE, R5, R2, ICMPV6_TYPE_AT)
        .jumpIf(If.LT, R5, FIRST_DISCOVERY, ipv6)
        .jumpIf(If.LE, R5, LAST_DISCOVERY, "kernel");
    if (uplink) {
      OwnAddressCheck.append(program.jump("ipv6"), own);
    }
    return program
        .label("ours")
        .load(INT, R2, R6, Xdp.MD_RX_QUEUE_INDEX)
        .loadMap(R1, xskMapFd)
        .move(R3, Xdp.XDP_DROP) // returned where the map has no socket; kernel 5.3
        .call(Bpf.FUNC_REDIRECT_MAP)
        .exit()
        .label("kernel")
        .move(R0, Xdp.XDP_PASS)
        .exit();
  }

  /** R2 is the frame, R3 its end, both again behind it. */
  private static void appendBridged(BpfAssembler program, BridgedMacs bridged) {
    program
        .loadMapValue(R5, bridged.bridgedFd(), 0)
        .load(INT, R5, R5, 0)
        .jumpIf(If.EQ, R5, 0, "any MAC")
        .load(INT, R5, R2, 0)
        .store(INT, R10, -8, R5)
        .load(SHORT, R5, R2, 4)
        .store(INT, R10, -4, R5)
        .loadMap(R1, bridged.macsFd())
        .moveRegister(R2, R10)
        .alu(Alu.ADD, R2, -8)
        .call(Bpf.FUNC_MAP_LOOKUP_ELEM)
        .jumpIf(If.EQ, R0, 0, "kernel")
        // The call has used up the registers.
        .load(INT, R2, R6, Xdp.MD_DATA)
        .load(INT, R3, R6, Xdp.MD_DATA_END)
        .moveRegister(R4, R2)
        .alu(Alu.ADD, R4, ETHERNET)
        .jumpIfRegister(If.GT, R4, R3, "ours")
        .label("any MAC");
  }
}
