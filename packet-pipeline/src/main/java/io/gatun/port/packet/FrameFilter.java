package io.gatun.port.packet;

import static io.gatun.ffm.packet.FilterProgram.If.ABOVE;
import static io.gatun.ffm.packet.FilterProgram.If.AT_LEAST;
import static io.gatun.ffm.packet.FilterProgram.If.BELOW;
import static io.gatun.ffm.packet.FilterProgram.If.EQUAL;
import static io.gatun.ffm.packet.FilterProgram.If.NOT_EQUAL;
import static io.gatun.ffm.packet.FilterProgram.If.SET;
import static io.gatun.ffm.packet.FilterProgram.Width.BYTE;
import static io.gatun.ffm.packet.FilterProgram.Width.INT;
import static io.gatun.ffm.packet.FilterProgram.Width.SHORT;

import io.gatun.ffm.packet.FilterProgram;
import io.gatun.packet.IpProtocol;
import java.util.List;

/**
 * Which frames our sockets take; stateless. {@link IngressRules} says the same to nftables, which
 * drops the kernel's copy of them: {@code UplinkFramesIT} holds the two together, frame by frame.
 */
final class FrameFilter {
  private static final int L3 = 14;
  private static final int L4 = L3 + 20;
  private static final int L4_IPV6 = L3 + 40;
  private static final int TO_PORT = 2;
  private static final int ECHO_IDENTIFIER = 4;

  private FrameFilter() {}

  /**
   * A pod's frames: unicast IPv4 and IPv6, but for link-local addresses and neighbour discovery,
   * which are the kernel's, and VLAN tags.
   */
  static FilterProgram pod() {
    FilterProgram program = new FilterProgram();
    program
        .loadTagged()
        .jumpIf(NOT_EQUAL, 0, "leave")
        .load(BYTE, 0)
        .jumpIf(SET, 1, "leave")
        .load(SHORT, 12)
        .jumpIf(EQUAL, 0x0800, "take")
        .jumpIf(NOT_EQUAL, 0x86DD, "leave");
    linkLocal(program);
    return end(program);
  }

  /**
   * An uplink's: of those to its own MAC what is not the node's own. The order is that of the XDP
   * stub (io.gatun.port.xdp.OwnAddressCheck).
   */
  static FilterProgram uplink(byte[] mac, OwnList own) {
    FilterProgram program = new FilterProgram();
    program
        .loadTagged()
        .jumpIf(NOT_EQUAL, 0, "leave")
        .load(INT, 0)
        .jumpIf(NOT_EQUAL, number(mac, 0, 4), "leave")
        .load(SHORT, 4)
        .jumpIf(NOT_EQUAL, number(mac, 4, 2), "leave")
        .load(SHORT, 12)
        .jumpIf(EQUAL, 0x0800, "ipv4")
        .jumpIf(NOT_EQUAL, 0x86DD, "leave");
    ipv6(program, own);
    ipv4(program, own);
    for (int protocol : OwnList.PROTOCOLS) {
      program.label(claimed(protocol));
      member(program, own.ranges(protocol), "take");
      program.jump("leave");
    }
    return end(program);
  }

  private static FilterProgram end(FilterProgram program) {
    return program.label("take").take().label("leave").leave();
  }

  /** Falls through with what is neither from nor to fe80::/10, and no neighbour discovery. */
  private static void linkLocal(FilterProgram program) {
    for (int address : new int[] {L3 + 8, L3 + 24}) {
      program.load(SHORT, address).and(0xFFC0).jumpIf(EQUAL, 0xFE80, "leave");
    }
    program
        .load(BYTE, L3 + 6)
        .jumpIf(NOT_EQUAL, IpProtocol.ICMPV6, "no discovery")
        .load(BYTE, L4_IPV6)
        .jumpIf(BELOW, 133, "no discovery")
        .jumpIf(BELOW, 138, "leave")
        .label("no discovery");
  }

  private static void ipv4(FilterProgram program, OwnList own) {
    program
        .label("ipv4")
        .load(BYTE, L3 + 16)
        .jumpIf(AT_LEAST, 224, "leave")
        .load(BYTE, L3)
        .jumpIf(NOT_EQUAL, 0x45, "take") // options: nobody's list
        .load(INT, L3 + 16);
    member(program, own.ipv4().stream().map(a -> new int[] {number(a, 0, 4)}).toList(), "own4");
    program
        .load(SHORT, L3 + 6)
        .jumpIf(SET, 0x3FFF, "take") // a fragment: the first one alone has ports
        .load(BYTE, L3 + 9)
        .jumpIf(NOT_EQUAL, IpProtocol.UDP, "take")
        .load(SHORT, L4 + TO_PORT)
        .jumpIf(EQUAL, 68, "leave") // what a DHCP client waits for
        .jump("take")
        .label("own4")
        .load(SHORT, L3 + 6)
        .jumpIf(SET, 0x3FFF, "take")
        .load(BYTE, L3 + 9);
    ports(program, L4, "icmp");
    program.load(BYTE, L3 + 9).jumpIf(NOT_EQUAL, IpProtocol.ICMP, "leave").load(BYTE, L4);
    for (int error : IngressRules.ICMP_ERRORS) {
      program.jumpIf(EQUAL, error, "take");
    }
    program
        .jumpIf(NOT_EQUAL, 0, "leave")
        .load(SHORT, L4 + ECHO_IDENTIFIER)
        .jump(claimed(IpProtocol.TCP));
  }

  private static void ipv6(FilterProgram program, OwnList own) {
    linkLocal(program);
    program.load(BYTE, L3 + 24).jumpIf(EQUAL, 0xFF, "leave");
    int n = 0;
    for (byte[] address : own.ipv6()) {
      String next = "own6 " + n++;
      for (int word = 12; word >= 0; word -= 4) { // the last one differs most
        program.load(INT, L3 + 24 + word).jumpIf(NOT_EQUAL, number(address, word, 4), next);
      }
      program.jump("own6").label(next);
    }
    program.jump("take").label("own6").load(BYTE, L3 + 6).jumpIf(EQUAL, 44, "take");
    ports(program, L4_IPV6, "icmpv6");
    program
        .load(BYTE, L3 + 6)
        .jumpIf(NOT_EQUAL, IpProtocol.ICMPV6, "leave")
        .load(BYTE, L4_IPV6)
        .jumpIf(BELOW, 128, "take") // RFC 4443: errors
        .jumpIf(NOT_EQUAL, 129, "leave")
        .load(SHORT, L4_IPV6 + ECHO_IDENTIFIER)
        .jump(claimed(IpProtocol.TCP));
  }

  /** With the protocol loaded: goes on with what has no ports. */
  private static void ports(FilterProgram program, int l4, String without) {
    for (int protocol : OwnList.PROTOCOLS) {
      program.jumpIf(EQUAL, protocol, without + " " + protocol);
    }
    program.jump(without);
    for (int protocol : OwnList.PROTOCOLS) {
      program.label(without + " " + protocol).load(SHORT, l4 + TO_PORT).jump(claimed(protocol));
    }
    program.label(without);
  }

  /** Where a port, or what counts as one, is looked for among the claimed ones. */
  private static String claimed(int protocol) {
    return "claimed " + protocol;
  }

  /** Jumps to {@code found} when the register is in one of the sorted {@code ranges}. */
  private static void member(FilterProgram program, List<int[]> ranges, String found) {
    String not = "member " + program.length();
    search(program, ranges, found, not);
    program.label(not);
  }

  private static void search(FilterProgram program, List<int[]> ranges, String found, String not) {
    int count = ranges.size();
    if (count == 0) {
      program.jump(not);
    } else if (count == 1) {
      int[] range = ranges.getFirst();
      if (range.length == 1 || range[0] == range[1]) {
        program.jumpIf(EQUAL, range[0], found).jump(not);
      } else {
        program.jumpIf(BELOW, range[0], not).jumpIf(ABOVE, range[1], not).jump(found);
      }
    } else {
      int middle = count / 2;
      String upper = "upper " + program.length();
      program.jumpIf(AT_LEAST, ranges.get(middle)[0], upper);
      search(program, ranges.subList(0, middle), found, not);
      program.label(upper);
      search(program, ranges.subList(middle, count), found, not);
    }
  }

  private static int number(byte[] bytes, int from, int count) {
    int number = 0;
    for (int i = 0; i < count; i++) {
      number = number << 8 | bytes[from + i] & 0xFF;
    }
    return number;
  }
}
