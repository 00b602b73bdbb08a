package io.gatun.ffm.packet;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A classic socket filter (SO_ATTACH_FILTER, what tcpdump uses) put together with labels: neither
 * bpf(2) nor a map. It has one register; loads take network order, and one beyond the frame's end
 * leaves the frame. For one thread.
 *
 * <pre>{@code
 * new FilterProgram()
 *     .load(SHORT, 12)
 *     .jumpIf(EQUAL, 0x0800, "ours")
 *     .leave()
 *     .label("ours")
 *     .take()
 * }</pre>
 */
public final class FilterProgram {
  /** BPF_MAXINSNS. */
  public static final int LONGEST = 4096;

  // linux/filter.h, linux/bpf_common.h
  private static final int AND = 0x54;
  private static final int JUMP = 0x05;
  private static final int RETURN = 0x06;

  /** SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT: the kernel keeps tags beside the frame. */
  private static final int TAGGED = -0x1000 + 48;

  private static final int WHOLE_FRAME = 0x40000;
  private static final int INSTRUCTION = 8;

  /** What a load takes. */
  public enum Width {
    BYTE(0x30),
    SHORT(0x28),
    INT(0x20);

    private final int code;

    Width(int code) {
      this.code = code;
    }
  }

  /** Compares the register, unsigned. */
  public enum If {
    EQUAL(0x15, false),
    NOT_EQUAL(0x15, true),
    ABOVE(0x25, false),
    AT_LEAST(0x35, false),
    BELOW(0x35, true),
    /** One of the bits is set. */
    SET(0x45, false);

    private final int code;
    private final boolean inverted;

    If(int code, boolean inverted) {
      this.code = code;
      this.inverted = inverted;
    }
  }

  /**
   * {@code label} is resolved last, for jumps without a condition: they alone reach any distance.
   */
  private record Line(int code, int whenTrue, int whenFalse, int operand, String label) {}

  private final List<Line> lines = new ArrayList<>();
  private final Map<String, Integer> labels = new HashMap<>();

  private FilterProgram add(int code, int whenTrue, int whenFalse, int operand, String label) {
    lines.add(new Line(code, whenTrue, whenFalse, operand, label));
    return this;
  }

  /** Loads from {@code offset}, counted from the Ethernet header. */
  public FilterProgram load(Width width, int offset) {
    return add(width.code, 0, 0, offset, "");
  }

  /** Loads 1 when the frame has a VLAN tag that was taken out of it, otherwise 0. */
  public FilterProgram loadTagged() {
    return load(Width.BYTE, TAGGED);
  }

  public FilterProgram and(int mask) {
    return add(AND, 0, 0, mask, "");
  }

  public FilterProgram jumpIf(If condition, int value, String label) {
    int skip = condition.inverted ? 1 : 0;
    return add(condition.code, skip, 1 - skip, value, "").jump(label);
  }

  public FilterProgram jump(String label) {
    return add(JUMP, 0, 0, 0, label);
  }

  /** What follows is reached from jumps to {@code label}, all of which come before it. */
  public FilterProgram label(String label) {
    if (labels.put(label, lines.size()) != null) {
      throw new IllegalArgumentException("label " + label + " twice");
    }
    return this;
  }

  /** The frame is the socket's, whole. */
  public FilterProgram take() {
    return add(RETURN, 0, 0, WHOLE_FRAME, "");
  }

  /** The socket does not see the frame. */
  public FilterProgram leave() {
    return add(RETURN, 0, 0, 0, "");
  }

  /** How many instructions; at most {@value #LONGEST} can be attached. */
  public int length() {
    return lines.size();
  }

  /** Attaches it to {@code fd} in place of the one before, at once; 0 or −errno. */
  int attach(int fd) {
    // struct sock_fprog: len u16, filter pointer at 8
    try (NativeArea area =
        NativeArea.map("socket filter", 16 + (long) lines.size() * INSTRUCTION)) {
      long at = area.address() + 16;
      Memory.putShort(area.address(), lines.size());
      Memory.putLong(area.address() + 8, at);
      write(at);
      return Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_ATTACH_FILTER, area.address(), 16);
    }
  }

  /** struct sock_filter: code u16, jump when true u8, when false u8, operand u32. */
  private void write(long to) {
    long at = to;
    for (int i = 0; i < lines.size(); i++) {
      Line line = lines.get(i);
      Memory.putShort(at, line.code);
      Memory.putByte(at + 2, line.whenTrue);
      Memory.putByte(at + 3, line.whenFalse);
      Memory.putInt(at + 4, line.label.isEmpty() ? line.operand : distance(i, line.label));
      at += INSTRUCTION;
    }
  }

  private int distance(int from, String label) {
    Integer to = labels.get(label);
    if (to == null || to <= from) {
      throw new IllegalArgumentException("label " + label + " does not follow its jump");
    }
    return to - from - 1;
  }

  /** What becomes of {@code frame}, which has no tag, as the kernel would decide: for tests. */
  public boolean takes(byte[] frame) {
    long register = 0;
    int at = 0;
    while (true) {
      Line line = lines.get(at++);
      switch (line.code) {
        case 0x30, 0x28, 0x20 -> {
          int bytes = line.code == 0x30 ? 1 : line.code == 0x28 ? 2 : 4;
          if (line.operand != TAGGED && line.operand + bytes > frame.length) {
            return false;
          }
          register = 0;
          for (int k = 0; k < bytes && line.operand != TAGGED; k++) {
            register = register << 8 | frame[line.operand + k] & 0xFF;
          }
        }
        case AND -> register &= line.operand & 0xFFFF_FFFFL;
        case JUMP -> at += distance(at - 1, line.label);
        case RETURN -> {
          return line.operand != 0;
        }
        default -> {
          long operand = line.operand & 0xFFFF_FFFFL;
          boolean holds =
              switch (line.code) {
                case 0x15 -> register == operand;
                case 0x25 -> register > operand;
                case 0x35 -> register >= operand;
                default -> (register & operand) != 0;
              };
          at += holds ? line.whenTrue : line.whenFalse;
        }
      }
    }
  }
}
