package io.gatun.packet;

import io.gatun.ffm.memory.Memory;

/**
 * VLAN tags (IEEE 802.1Q), one or two of them (802.1ad), between Ethernet's addresses and its type.
 * A tag here is the four bytes at the place of the Ethernet type. Stateless; any thread.
 */
public final class Vlan {
  public static final int TPID = 0;
  public static final int TCI = 2;
  public static final int NEXT_TYPE = 4;

  /** Bytes that a tag adds to the frame. */
  public static final int TAG = 4;

  /** Customer tag; the inner one of two. */
  public static final int CUSTOMER = 0x8100;

  /** Service tag (802.1ad); the outer one of two. */
  public static final int SERVICE = 0x88A8;

  private Vlan() {}

  /** True for the types that announce a tag. */
  public static boolean tagged(int type) {
    return type == CUSTOMER || type == SERVICE;
  }

  /**
   * Offset of what follows Ethernet and at most two tags; its type stands in the two bytes before.
   * −1 when the frame of {@code bytes} bytes ends before that. A third tag is left standing as an
   * unknown type.
   */
  public static int payload(long frame, int bytes) {
    int offset = Ethernet.HEADER;
    if (bytes < offset) {
      return -1;
    }
    for (int tags = 0; tags < 2 && tagged(Memory.getShortBe(frame + offset - 2)); tags++) {
      offset += TAG;
      if (bytes < offset) {
        return -1;
      }
    }
    return offset;
  }

  /** VLAN number, 0 (priority tag) to 4095. */
  public static int id(long tag) {
    return Memory.getShortBe(tag + TCI) & 0xFFF;
  }

  /** Priority, 0 to 7. */
  public static int priority(long tag) {
    return Memory.getShortBe(tag + TCI) >>> 13;
  }

  public static void id(long tag, int id) {
    Memory.putShortBe(tag + TCI, (Memory.getShortBe(tag + TCI) & 0xF000) | id);
  }

  /** {@code vlan 7 priority 0}. */
  public static String print(long tag) {
    return "vlan %d priority %d".formatted(id(tag), priority(tag));
  }
}
