package io.gatun.ffm.bpf;

import io.gatun.ffm.memory.Memory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes BPF instructions ({@code Documentation/bpf/standardization/instruction-set.rst}). Methods
 * append and return the assembler; jumps go forward or back to labels, resolved when written. For
 * one thread.
 *
 * <pre>{@code
 * new BpfAssembler()
 *     .load(INT, R2, R1, Xdp.MD_RX_QUEUE_INDEX)
 *     .loadMap(R1, xskMap)
 *     .move(R3, Xdp.XDP_PASS)
 *     .call(Bpf.FUNC_REDIRECT_MAP)
 *     .exit();
 * }</pre>
 */
public final class BpfAssembler {
  /** Return value of calls and of the program. */
  public static final int R0 = 0;

  /** The context at the start; then R1 to R5 are arguments of calls and lost by them. */
  public static final int R1 = 1;

  public static final int R2 = 2;
  public static final int R3 = 3;
  public static final int R4 = 4;
  public static final int R5 = 5;

  /** R6 to R9 survive calls. */
  public static final int R6 = 6;

  public static final int R7 = 7;
  public static final int R8 = 8;
  public static final int R9 = 9;

  /** The end of the stack, 512 bytes below it are ours. Read only. */
  public static final int R10 = 10;

  /** Size of a memory access. */
  public enum Width {
    INT(0x00),
    SHORT(0x08),
    BYTE(0x10),
    LONG(0x18);

    private final int code;

    Width(int code) {
      this.code = code;
    }
  }

  /** Arithmetic on 64 bits. */
  public enum Alu {
    ADD(0x00),
    SUB(0x10),
    MUL(0x20),
    DIV(0x30),
    OR(0x40),
    AND(0x50),
    SHIFT_LEFT(0x60),
    SHIFT_RIGHT(0x70),
    MOD(0x90),
    XOR(0xa0),
    MOVE(0xb0);

    private final int code;

    Alu(int code) {
      this.code = code;
    }
  }

  /** Unsigned comparisons; SET is {@code (a & b) != 0}. */
  public enum If {
    EQ(0x10),
    GT(0x20),
    GE(0x30),
    SET(0x40),
    NE(0x50),
    LT(0xa0),
    LE(0xb0);

    private final int code;

    If(int code) {
      this.code = code;
    }
  }

  private static final int LDX_MEM = 0x61;
  private static final int ST_MEM = 0x62;
  private static final int STX_MEM = 0x63;
  private static final int STX_ATOMIC = 0xc3;
  private static final int ALU64 = 0x07;
  private static final int JMP = 0x05;
  private static final int JMP32 = 0x06;
  private static final int BY_REGISTER = 0x08;
  private static final int LD_IMM64 = 0x18;
  private static final int TO_BIG_ENDIAN = 0xdc;
  private static final int CALL = 0x85;
  private static final int EXIT = 0x95;
  private static final int PSEUDO_MAP_FD = 1;
  private static final int PSEUDO_MAP_VALUE = 2;

  private record Jump(int instruction, String label) {}

  private final List<Long> instructions = new ArrayList<>();
  private final Map<String, Integer> labels = new HashMap<>();
  private final List<Jump> jumps = new ArrayList<>();

  /** The next instruction is called {@code name}. */
  public BpfAssembler label(String name) {
    if (labels.put(name, instructions.size()) != null) {
      throw new IllegalArgumentException("label twice: " + name);
    }
    return this;
  }

  /** {@code target = *(width *)(base + offset)}, zero-extended, in host order. */
  public BpfAssembler load(Width width, int target, int base, int offset) {
    return add(LDX_MEM | width.code, target, base, offset, 0);
  }

  /** {@code *(width *)(base + offset) = source}. */
  public BpfAssembler store(Width width, int base, int offset, int source) {
    return add(STX_MEM | width.code, base, source, offset, 0);
  }

  /** {@code *(width *)(base + offset) = value}. */
  public BpfAssembler storeValue(Width width, int base, int offset, int value) {
    return add(ST_MEM | width.code, base, 0, offset, value);
  }

  /** {@code *(u64 *)(base + offset) += source}, atomically. */
  public BpfAssembler atomicAdd(int base, int offset, int source) {
    return add(STX_ATOMIC | Width.LONG.code, base, source, offset, 0);
  }

  public BpfAssembler move(int target, int value) {
    return alu(Alu.MOVE, target, value);
  }

  public BpfAssembler moveRegister(int target, int source) {
    return aluRegister(Alu.MOVE, target, source);
  }

  /** {@code target = target op value}, the value sign-extended to 64 bits. */
  public BpfAssembler alu(Alu operation, int target, int value) {
    return add(ALU64 | operation.code, target, 0, 0, value);
  }

  public BpfAssembler aluRegister(Alu operation, int target, int source) {
    return add(ALU64 | BY_REGISTER | operation.code, target, source, 0, 0);
  }

  /** Host order to network order or back, of the low 16, 32 or 64 bits; the rest becomes zero. */
  public BpfAssembler toBigEndian(int target, int bits) {
    return add(TO_BIG_ENDIAN, target, 0, 0, bits);
  }

  public BpfAssembler loadLong(int target, long value) {
    return wide(target, 0, (int) value, (int) (value >>> 32));
  }

  /** The map of a descriptor, as calls take it. */
  public BpfAssembler loadMap(int target, int mapFd) {
    return wide(target, PSEUDO_MAP_FD, mapFd, 0);
  }

  /** The address of byte {@code offset} in the only value of an array map. */
  public BpfAssembler loadMapValue(int target, int mapFd, int offset) {
    return wide(target, PSEUDO_MAP_VALUE, mapFd, offset);
  }

  public BpfAssembler jump(String label) {
    return jumpTo(label, JMP, 0, 0, 0);
  }

  /** Compares 64 bits with a sign-extended value. */
  public BpfAssembler jumpIf(If condition, int register, int value, String label) {
    return jumpTo(label, JMP | condition.code, register, 0, value);
  }

  /** Compares the low 32 bits: for values with the top bit set. */
  public BpfAssembler jumpIfInt(If condition, int register, int value, String label) {
    return jumpTo(label, JMP32 | condition.code, register, 0, value);
  }

  public BpfAssembler jumpIfRegister(If condition, int left, int right, String label) {
    return jumpTo(label, JMP | BY_REGISTER | condition.code, left, right, 0);
  }

  /** Calls a helper of the kernel, one of {@code Bpf.FUNC_…}: R0 = f(R1, …, R5). */
  public BpfAssembler call(int function) {
    return add(CALL, 0, 0, 0, function);
  }

  /** Returns R0. */
  public BpfAssembler exit() {
    return add(EXIT, 0, 0, 0, 0);
  }

  /** How many instructions of 8 bytes; a 64-bit load is two. */
  public int count() {
    return instructions.size();
  }

  /** Writes {@link #count()} instructions, with jumps resolved; returns the count. */
  public int writeTo(long address) {
    for (int i = 0; i < instructions.size(); i++) {
      Memory.putLong(address + 8L * i, instructions.get(i));
    }
    for (Jump jump : jumps) {
      Integer target = labels.get(jump.label);
      if (target == null) {
        throw new IllegalStateException("no such label: " + jump.label);
      }
      int distance = target - jump.instruction - 1;
      if (distance != (short) distance) {
        throw new IllegalStateException("label too far away: " + jump.label);
      }
      Memory.putShort(address + 8L * jump.instruction + 2, distance);
    }
    return instructions.size();
  }

  private BpfAssembler jumpTo(String label, int code, int left, int right, int value) {
    jumps.add(new Jump(instructions.size(), label));
    return add(code, left, right, 0, value);
  }

  private BpfAssembler wide(int target, int source, int low, int high) {
    return add(LD_IMM64, target, source, 0, low).add(0, 0, 0, 0, high);
  }

  /** struct bpf_insn on a little-endian machine: code u8, dst:4 src:4, off s16, imm s32. */
  private BpfAssembler add(int code, int target, int source, int offset, int value) {
    instructions.add(
        code
            | (long) target << 8
            | (long) source << 12
            | (offset & 0xFFFFL) << 16
            | (long) value << 32);
    return this;
  }
}
