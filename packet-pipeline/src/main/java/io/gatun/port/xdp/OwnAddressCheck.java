package io.gatun.port.xdp;

import static io.gatun.ffm.bpf.BpfAssembler.R0;
import static io.gatun.ffm.bpf.BpfAssembler.R1;
import static io.gatun.ffm.bpf.BpfAssembler.R10;
import static io.gatun.ffm.bpf.BpfAssembler.R2;
import static io.gatun.ffm.bpf.BpfAssembler.R3;
import static io.gatun.ffm.bpf.BpfAssembler.R4;
import static io.gatun.ffm.bpf.BpfAssembler.R5;
import static io.gatun.ffm.bpf.BpfAssembler.R7;
import static io.gatun.ffm.bpf.BpfAssembler.R8;
import static io.gatun.ffm.bpf.BpfAssembler.R9;
import static io.gatun.ffm.bpf.BpfAssembler.Width.BYTE;
import static io.gatun.ffm.bpf.BpfAssembler.Width.INT;
import static io.gatun.ffm.bpf.BpfAssembler.Width.LONG;
import static io.gatun.ffm.bpf.BpfAssembler.Width.SHORT;

import io.gatun.ffm.bpf.Bpf;
import io.gatun.ffm.bpf.BpfAssembler;
import io.gatun.ffm.bpf.BpfAssembler.Alu;
import io.gatun.ffm.bpf.BpfAssembler.If;
import io.gatun.packet.IpProtocol;
import io.gatun.port.PortSet;

/**
 * The part of an uplink's stub that leaves the node's own traffic to the kernel. Entered at {@code
 * ipv4} or {@code ipv6} with R2 the frame and R3 its end, it ends at {@code ours} or {@code
 * kernel}:
 *
 * <pre>
 *   to a group address          → kernel
 *   to no address of the node   → ours, but for what a DHCP client waits for (UDP port 68)
 *   IPv4 with options           → ours
 *   a fragment                  → ours: the first one alone has ports
 *   an ICMP error               → ours: what it quotes may be a translated flow
 *   a claimed port              → ours; an echo reply's identifier counts as a port of TCP
 *   all else                    → kernel
 * </pre>
 *
 * What is ours here and turns out to be the host's comes back to it by the host's port.
 */
final class OwnAddressCheck {
  private static final int L3 = 14;
  private static final int IPV4_HEADER = 20;
  private static final int IPV6_HEADER = 40;
  private static final int IPV4_FRAGMENT_AT = L3 + 6;
  private static final int IPV4_PROTOCOL_AT = L3 + 9;
  private static final int IPV4_DESTINATION_AT = L3 + 16;
  private static final int IPV6_NEXT_HEADER_AT = L3 + 6;
  private static final int IPV6_DESTINATION_AT = L3 + 24;

  /** More fragments, or an offset: 0x3FFF, as a little-endian load sees it. */
  private static final int FRAGMENT = 0xFF3F;

  /** Port 68, bootpc, as a little-endian load sees it. */
  private static final int DHCP_CLIENT = 0x4400;

  /** IPv4, five words of header. */
  private static final int NO_OPTIONS = 0x45;

  private static final int ECHO_REPLY = 0;
  private static final int ECHO_REPLY6 = 129;
  private static final int FRAGMENT_HEADER = 44;

  private OwnAddressCheck() {}

  static BpfAssembler append(BpfAssembler program, OwnTraffic own) {
    ipv4(program, own.addresses4Fd());
    ipv6(program, own.addresses6Fd());
    return claimed(program, own.claimsFd());
  }

  private static void ipv4(BpfAssembler program, int addresses) {
    program
        .label("ipv4")
        .moveRegister(R8, R2)
        .moveRegister(R9, R3)
        .moveRegister(R4, R2)
        .alu(Alu.ADD, R4, L3 + IPV4_HEADER)
        .jumpIfRegister(If.GT, R4, R9, "ours")
        .load(BYTE, R5, R8, IPV4_DESTINATION_AT)
        .jumpIf(If.GE, R5, 224, "kernel")
        // R7: the transport header. With options it is ours: without CAP_PERFMON the verifier
        // refuses an address that depends on the frame.
        .load(BYTE, R5, R8, L3)
        .jumpIf(If.NE, R5, NO_OPTIONS, "ours")
        .moveRegister(R7, R8)
        .alu(Alu.ADD, R7, L3 + IPV4_HEADER)
        .load(INT, R5, R8, IPV4_DESTINATION_AT)
        .store(INT, R10, -4, R5)
        .loadMap(R1, addresses)
        .moveRegister(R2, R10)
        .alu(Alu.ADD, R2, -4)
        .call(Bpf.FUNC_MAP_LOOKUP_ELEM)
        .load(SHORT, R4, R8, IPV4_FRAGMENT_AT)
        .jumpIf(If.SET, R4, FRAGMENT, "ours")
        .load(BYTE, R5, R8, IPV4_PROTOCOL_AT)
        .jumpIf(If.NE, R0, 0, "own4")
        .jumpIf(If.NE, R5, IpProtocol.UDP, "ours")
        .moveRegister(R2, R7)
        .alu(Alu.ADD, R2, 4)
        .jumpIfRegister(If.GT, R2, R9, "ours")
        .load(SHORT, R5, R7, 2)
        .jumpIf(If.EQ, R5, DHCP_CLIENT, "kernel")
        .jump("ours")
        .label("own4")
        .jumpIf(If.NE, R5, IpProtocol.ICMP, "ports")
        .moveRegister(R2, R7)
        .alu(Alu.ADD, R2, 1)
        .jumpIfRegister(If.GT, R2, R9, "ours")
        .load(BYTE, R5, R7, 0);
    // RFC 792: destination unreachable, source quench, time exceeded, parameter problem
    for (int error : new int[] {3, 4, 11, 12}) {
      program.jumpIf(If.EQ, R5, error, "ours");
    }
    program.jumpIf(If.EQ, R5, ECHO_REPLY, "identifier").jump("kernel");
  }

  private static void ipv6(BpfAssembler program, int addresses) {
    program
        .label("ipv6")
        .moveRegister(R8, R2)
        .moveRegister(R9, R3)
        .moveRegister(R7, R2)
        .alu(Alu.ADD, R7, L3 + IPV6_HEADER)
        .jumpIfRegister(If.GT, R7, R9, "ours")
        .load(BYTE, R5, R8, IPV6_DESTINATION_AT)
        .jumpIf(If.EQ, R5, 0xFF, "kernel")
        .load(LONG, R5, R8, IPV6_DESTINATION_AT)
        .store(LONG, R10, -16, R5)
        .load(LONG, R5, R8, IPV6_DESTINATION_AT + 8)
        .store(LONG, R10, -8, R5)
        .loadMap(R1, addresses)
        .moveRegister(R2, R10)
        .alu(Alu.ADD, R2, -16)
        .call(Bpf.FUNC_MAP_LOOKUP_ELEM)
        .jumpIf(If.EQ, R0, 0, "ours")
        .load(BYTE, R5, R8, IPV6_NEXT_HEADER_AT)
        .jumpIf(If.EQ, R5, FRAGMENT_HEADER, "ours")
        .jumpIf(If.NE, R5, IpProtocol.ICMPV6, "ports")
        .moveRegister(R2, R7)
        .alu(Alu.ADD, R2, 1)
        .jumpIfRegister(If.GT, R2, R9, "ours")
        .load(BYTE, R5, R7, 0)
        .jumpIf(If.LT, R5, 128, "ours") // RFC 4443: errors are below 128
        .jumpIf(If.NE, R5, ECHO_REPLY6, "kernel")
        .label("identifier") // of a masqueraded echo: from the same range as ports
        .moveRegister(R2, R7)
        .alu(Alu.ADD, R2, 6)
        .jumpIfRegister(If.GT, R2, R9, "ours")
        .load(SHORT, R5, R7, 4)
        .move(R4, IpProtocol.TCP)
        .jump("number");
  }

  /**
   * R5 is the protocol, R7 its header. Each protocol's map has an instruction of its own that adds
   * to its address: without CAP_PERFMON the verifier wants the same bounds on every path to one.
   */
  private static BpfAssembler claimed(BpfAssembler program, int claims) {
    int[] protocols = {IpProtocol.TCP, IpProtocol.UDP, IpProtocol.SCTP};
    program.label("ports").moveRegister(R4, R5);
    for (int protocol : protocols) {
      program.jumpIf(If.EQ, R5, protocol, "port");
    }
    program
        .jump("kernel")
        .label("port")
        .moveRegister(R2, R7)
        .alu(Alu.ADD, R2, 4)
        .jumpIfRegister(If.GT, R2, R9, "ours")
        .load(SHORT, R5, R7, 2)
        .label("number")
        .toBigEndian(R5, 16)
        .alu(Alu.AND, R5, 0xFFFF)
        .moveRegister(R3, R5)
        .alu(Alu.AND, R3, 7)
        .alu(Alu.SHIFT_RIGHT, R5, 3);
    for (int protocol : protocols) {
      String other = "not " + protocol;
      program
          .jumpIf(If.NE, R4, protocol, other)
          .loadMapValue(R1, claims, PortSet.base(protocol))
          .aluRegister(Alu.ADD, R1, R5)
          .load(BYTE, R1, R1, 0)
          .jump("bit")
          .label(other);
    }
    return program
        .jump("kernel")
        .label("bit")
        .aluRegister(Alu.SHIFT_RIGHT, R1, R3)
        .jumpIf(If.SET, R1, 1, "ours")
        .jump("kernel");
  }
}
