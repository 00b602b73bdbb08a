package io.gatun.tunnel;

import io.gatun.ffm.memory.Memory;

/**
 * The VXLAN header, RFC 7348, section 5: 8 bytes after the UDP header. Stateless; addresses point
 * at its first byte.
 *
 * <pre>
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   |R|R|R|R|I|R|R|R|            Reserved                           |
 *   |                VXLAN Network Identifier (VNI) |   Reserved    |
 * </pre>
 */
public final class Vxlan {
  public static final int FLAGS = 0;
  public static final int VNI = 4;
  public static final int HEADER = 8;

  /** The I flag: there is a VNI. Must be set. */
  public static final int VALID_VNI = 0x08;

  /** Port assigned by IANA; flannel uses 8472, as Linux did before there was one. */
  public static final int PORT = 4789;

  public static final int MAX_VNI = 0xFF_FFFF;

  /** Of the header as a long what a receiver looks at: the I flag and the VNI. */
  static final long MEANING = (long) VALID_VNI << 56 | (long) MAX_VNI << 8;

  private Vxlan() {}

  /**
   * Whether {@code bytes} of UDP payload hold the header with a VNI. Reserved bits are ignored, as
   * the RFC says; Linux drops a frame with any of them set.
   */
  public static boolean fits(long vxlan, int bytes) {
    return bytes >= HEADER && (Memory.getByte(vxlan + FLAGS) & VALID_VNI) != 0;
  }

  public static int vni(long vxlan) {
    return Memory.getIntBe(vxlan + VNI) >>> 8;
  }

  /** The header as a long in network order, reserved bits 0. */
  static long header(int vni) {
    return (long) VALID_VNI << 56 | (long) vni << 8;
  }

  /** The whole header, reserved bits 0. */
  public static void write(long vxlan, int vni) {
    Memory.putLongBe(vxlan, header(vni));
  }

  /** {@code vxlan vni 1}, for tests and captures. */
  public static String print(long vxlan) {
    return "vxlan vni " + vni(vxlan);
  }
}
