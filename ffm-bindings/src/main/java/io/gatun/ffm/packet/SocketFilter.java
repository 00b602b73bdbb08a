package io.gatun.ffm.packet;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;

/**
 * What a packet socket takes: unicast IPv4 and IPv6 but for link-local addresses and neighbour
 * discovery, which are the kernel's, and no VLAN tags. As a classic socket filter
 * (SO_ATTACH_FILTER, what tcpdump uses): neither bpf(2) nor a map. Stateless.
 */
final class SocketFilter {
  // linux/filter.h, linux/bpf_common.h
  private static final int LOAD_BYTE = 0x30;
  private static final int LOAD_SHORT = 0x28;
  private static final int AND = 0x54;
  private static final int IF_EQUAL = 0x15;
  private static final int IF_GREATER = 0x25;
  private static final int IF_GREATER_OR_EQUAL = 0x35;
  private static final int IF_SET = 0x45;
  private static final int RETURN = 0x06;

  /** SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT: the kernel keeps tags beside the frame. */
  private static final int TAGGED = -0x1000 + 48;

  private static final int WHOLE_FRAME = 0x40000;
  private static final int TAKE = 18;
  private static final int LEAVE = 19;

  /**
   * {@code code, operand, where to go when true, where when false}; a load beyond the end leaves.
   */
  private static final int[][] PROGRAM = {
    /*  0 */ {LOAD_BYTE, TAGGED, 1, 1},
    /*  1 */ {IF_EQUAL, 0, 2, LEAVE},
    /*  2 */ {LOAD_BYTE, 0, 3, 3}, // destination address: group bit
    /*  3 */ {IF_SET, 1, LEAVE, 4},
    /*  4 */ {LOAD_SHORT, 12, 5, 5},
    /*  5 */ {IF_EQUAL, 0x0800, TAKE, 6},
    /*  6 */ {IF_EQUAL, 0x86DD, 7, LEAVE},
    /*  7 */ {LOAD_SHORT, 14 + 8, 8, 8}, // source fe80::/10
    /*  8 */ {AND, 0xFFC0, 9, 9},
    /*  9 */ {IF_EQUAL, 0xFE80, LEAVE, 10},
    /* 10 */ {LOAD_SHORT, 14 + 24, 11, 11}, // destination fe80::/10
    /* 11 */ {AND, 0xFFC0, 12, 12},
    /* 12 */ {IF_EQUAL, 0xFE80, LEAVE, 13},
    /* 13 */ {LOAD_BYTE, 14 + 6, 14, 14},
    /* 14 */ {IF_EQUAL, 58, 15, TAKE},
    /* 15 */ {LOAD_BYTE, 14 + 40, 16, 16}, // neighbour discovery: ICMPv6 133 to 137
    /* 16 */ {IF_GREATER_OR_EQUAL, 133, 17, TAKE},
    /* 17 */ {IF_GREATER, 137, TAKE, LEAVE},
    /* 18 */ {RETURN, WHOLE_FRAME, 0, 0},
    /* 19 */ {RETURN, 0, 0, 0},
  };

  private static final int INSTRUCTION = 8;

  private SocketFilter() {}

  /** From now on {@code fd} receives only what passes. */
  static void attach(int fd) {
    // struct sock_fprog: len u16, filter pointer at 8; struct sock_filter: code u16, jt, jf, k u32
    try (NativeArea area =
        NativeArea.map("socket filter", 16 + (long) PROGRAM.length * INSTRUCTION)) {
      long at = area.address() + 16;
      Memory.putShort(area.address(), PROGRAM.length);
      Memory.putLong(area.address() + 8, at);
      for (int i = 0; i < PROGRAM.length; i++) {
        int[] line = PROGRAM[i];
        boolean jump = (line[0] & 7) == 5;
        Memory.putShort(at, line[0]);
        Memory.putByte(at + 2, jump ? line[2] - i - 1 : 0);
        Memory.putByte(at + 3, jump ? line[3] - i - 1 : 0);
        Memory.putInt(at + 4, line[1]);
        at += INSTRUCTION;
      }
      NativeException.check(
          Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_ATTACH_FILTER, area.address(), 16),
          "attach the socket filter",
          "raise net.core.optmem_max");
    }
  }
}
