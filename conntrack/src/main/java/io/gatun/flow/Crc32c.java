package io.gatun.flow;

import io.gatun.ffm.memory.Memory;

/** SCTP's checksum (RFC 9260, appendix A), over native memory and without allocation. */
final class Crc32c {
  /** The Castagnoli polynomial, bits reversed. */
  private static final int POLYNOMIAL = 0x82F63B78;

  private static final int[] TABLE = new int[256];

  static {
    for (int i = 0; i < 256; i++) {
      int crc = i;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >>> 1 ^ ((crc & 1) == 0 ? 0 : POLYNOMIAL);
      }
      TABLE[i] = crc;
    }
  }

  private Crc32c() {}

  /** Writes the checksum of {@code length} bytes at {@code address} into its field in them. */
  static void complete(long address, int length, int field) {
    Memory.putIntBe(address + field, 0);
    int crc = -1;
    for (int i = 0; i < length; i++) {
      crc = crc >>> 8 ^ TABLE[(crc ^ Memory.getByte(address + i)) & 0xFF];
    }
    // The wire carries the least significant byte first.
    Memory.putIntBe(address + field, Integer.reverseBytes(~crc));
  }
}
