package io.gatun.packet;

import io.gatun.ffm.memory.Memory;

/** SCTP's checksum (RFC 9260, appendix A), over native memory and without allocation. Stateless. */
final class Crc32c {
  /** The Castagnoli polynomial, bits reversed. */
  private static final int POLYNOMIAL = 0x82F63B78;

  /** Bytes taken in one step, each by a table of its own (slicing, Kounavis and Berry 2005). */
  private static final int STEP = 8;

  private static final int[] TABLE = new int[STEP * 256];

  static {
    for (int i = 0; i < 256; i++) {
      int crc = i;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >>> 1 ^ ((crc & 1) == 0 ? 0 : POLYNOMIAL);
      }
      TABLE[i] = crc;
    }
    for (int i = 256; i < TABLE.length; i++) {
      int before = TABLE[i - 256];
      TABLE[i] = before >>> 8 ^ TABLE[before & 0xFF];
    }
  }

  private Crc32c() {}

  /**
   * Of {@code length} bytes at {@code address}, as the wire has it: least significant byte first.
   */
  static int of(long address, int length) {
    int crc = -1;
    int i = 0;
    for (; i <= length - STEP; i += STEP) {
      long word = Memory.getLong(address + i) ^ crc & 0xFFFF_FFFFL; // little-endian hosts only
      crc =
          at(7, word)
              ^ at(6, word >>> 8)
              ^ at(5, word >>> 16)
              ^ at(4, word >>> 24)
              ^ at(3, word >>> 32)
              ^ at(2, word >>> 40)
              ^ at(1, word >>> 48)
              ^ at(0, word >>> 56);
    }
    for (; i < length; i++) {
      crc = crc >>> 8 ^ TABLE[(crc ^ Memory.getByte(address + i)) & 0xFF];
    }
    return Integer.reverseBytes(~crc);
  }

  private static int at(int table, long word) {
    return TABLE[table * 256 + (int) (word & 0xFF)];
  }
}
