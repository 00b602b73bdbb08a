package io.gatun.ffm.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Native memory by absolute address: how the packet path reads and writes everything.
 *
 * <p>One static-final segment spans the whole address space, so that an access compiles to a single
 * load or store and a packet is a {@code long}. Nothing here checks anything in production: whoever
 * passes an address has proved it (parse proves lengths once, guard pages stand between areas).
 * With {@code -Dgatun.memory.checks=true} every access is checked against {@link LiveAreas}; the
 * constant folds away otherwise. Tests run with it on, benchmarks with it off.
 *
 * <p>Plain accesses are in host order; those named {@code …Be} are big-endian, as on the wire. Any
 * alignment is allowed for plain accesses; acquire, release and compare-and-set need natural
 * alignment.
 */
public final class Memory {
  /** True when every access is checked; a constant to the compiler. */
  public static final boolean CHECKS = Boolean.getBoolean("gatun.memory.checks");

  private static final MemorySegment ALL = AddressSpace.everything();

  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfShort SHORT_BE = SHORT.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfInt INT_BE = INT.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong LONG_BE = LONG.withOrder(ByteOrder.BIG_ENDIAN);
  private static final VarHandle INT_ORDERED = ValueLayout.JAVA_INT.varHandle();
  private static final VarHandle LONG_ORDERED = ValueLayout.JAVA_LONG.varHandle();

  /** User space ends below on every processor: 47 to 56 bits. */
  private static final long USER_SPACE = (1L << 56) - 1;

  private Memory() {}

  /**
   * The same address, of which the compiler knows now that it and what is near it lies within the
   * address space: it drops the check of every access from there on. For the loops of the packet
   * path, once a packet; saves a tenth of their instructions.
   */
  public static long address(long address) {
    return address & USER_SPACE;
  }

  private static void check(long address, int bytes) {
    if (CHECKS) {
      LiveAreas.check(address, bytes);
    }
  }

  /** Unsigned byte at {@code address}, 0 to 255. */
  public static int getByte(long address) {
    check(address, 1);
    return ALL.get(JAVA_BYTE, address) & 0xFF;
  }

  public static void putByte(long address, int value) {
    check(address, 1);
    ALL.set(JAVA_BYTE, address, (byte) value);
  }

  /** Unsigned 16 bits in host order. */
  public static int getShort(long address) {
    check(address, 2);
    return ALL.get(SHORT, address) & 0xFFFF;
  }

  public static void putShort(long address, int value) {
    check(address, 2);
    ALL.set(SHORT, address, (short) value);
  }

  public static int getInt(long address) {
    check(address, 4);
    return ALL.get(INT, address);
  }

  public static void putInt(long address, int value) {
    check(address, 4);
    ALL.set(INT, address, value);
  }

  public static long getLong(long address) {
    check(address, 8);
    return ALL.get(LONG, address);
  }

  public static void putLong(long address, long value) {
    check(address, 8);
    ALL.set(LONG, address, value);
  }

  /** Unsigned 16 bits in network order. */
  public static int getShortBe(long address) {
    check(address, 2);
    return ALL.get(SHORT_BE, address) & 0xFFFF;
  }

  public static void putShortBe(long address, int value) {
    check(address, 2);
    ALL.set(SHORT_BE, address, (short) value);
  }

  /** 32 bits in network order. */
  public static int getIntBe(long address) {
    check(address, 4);
    return ALL.get(INT_BE, address);
  }

  public static void putIntBe(long address, int value) {
    check(address, 4);
    ALL.set(INT_BE, address, value);
  }

  /** 64 bits in network order. */
  public static long getLongBe(long address) {
    check(address, 8);
    return ALL.get(LONG_BE, address);
  }

  public static void putLongBe(long address, long value) {
    check(address, 8);
    ALL.set(LONG_BE, address, value);
  }

  public static int getIntAcquire(long address) {
    check(address, 4);
    return (int) INT_ORDERED.getAcquire(ALL, address);
  }

  public static void putIntRelease(long address, int value) {
    check(address, 4);
    INT_ORDERED.setRelease(ALL, address, value);
  }

  public static boolean compareAndSetInt(long address, int expected, int value) {
    check(address, 4);
    return INT_ORDERED.compareAndSet(ALL, address, expected, value);
  }

  public static int getAndAddInt(long address, int delta) {
    check(address, 4);
    return (int) INT_ORDERED.getAndAdd(ALL, address, delta);
  }

  public static long getLongAcquire(long address) {
    check(address, 8);
    return (long) LONG_ORDERED.getAcquire(ALL, address);
  }

  public static void putLongRelease(long address, long value) {
    check(address, 8);
    LONG_ORDERED.setRelease(ALL, address, value);
  }

  public static boolean compareAndSetLong(long address, long expected, long value) {
    check(address, 8);
    return LONG_ORDERED.compareAndSet(ALL, address, expected, value);
  }

  public static long getAndAddLong(long address, long delta) {
    check(address, 8);
    return (long) LONG_ORDERED.getAndAdd(ALL, address, delta);
  }

  /** Copies {@code bytes} bytes; the ranges may overlap. */
  public static void copy(long from, long to, long bytes) {
    checkRange(from, bytes);
    checkRange(to, bytes);
    MemorySegment.copy(ALL, from, ALL, to, bytes);
  }

  public static void copyIn(byte[] from, int offset, long to, int bytes) {
    checkRange(to, bytes);
    MemorySegment.copy(from, offset, ALL, JAVA_BYTE, to, bytes);
  }

  public static void copyOut(long from, byte[] to, int offset, int bytes) {
    checkRange(from, bytes);
    MemorySegment.copy(ALL, JAVA_BYTE, from, to, offset, bytes);
  }

  public static void zero(long address, long bytes) {
    checkRange(address, bytes);
    ALL.asSlice(address, bytes).fill((byte) 0);
  }

  private static void checkRange(long address, long bytes) {
    if (CHECKS && bytes != 0) {
      LiveAreas.check(address, bytes);
    }
  }
}
