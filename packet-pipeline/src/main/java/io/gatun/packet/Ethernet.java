package io.gatun.packet;

import io.gatun.ffm.memory.Memory;

/** Ethernet II header, 14 bytes (IEEE 802.3). Stateless; any thread. */
public final class Ethernet {
  public static final int DESTINATION = 0;
  public static final int SOURCE = 6;
  public static final int TYPE = 12;
  public static final int HEADER = 14;

  public static final int IPV4 = 0x0800;
  public static final int ARP = 0x0806;
  public static final int IPV6 = 0x86DD;

  private static final long MAC = 0xFFFF_FFFF_FFFFL;

  private Ethernet() {}

  public static boolean fits(int bytes) {
    return bytes >= HEADER;
  }

  /** Destination MAC address, lower 48 bits. */
  public static long destination(long frame) {
    return Memory.getLongBe(frame) >>> 16;
  }

  /** Source MAC address, lower 48 bits. */
  public static long source(long frame) {
    return Memory.getLongBe(frame + SOURCE) >>> 16;
  }

  /** The type right behind the addresses, which may be that of a {@link Vlan} tag. */
  public static int type(long frame) {
    return Memory.getShortBe(frame + TYPE);
  }

  /** Broadcast or multicast: the group bit of the first byte. */
  public static boolean toGroup(long frame) {
    return (Memory.getByte(frame) & 1) != 0;
  }

  public static void destination(long frame, long mac) {
    Memory.putIntBe(frame, (int) (mac >>> 16));
    Memory.putShortBe(frame + 4, (int) mac);
  }

  public static void source(long frame, long mac) {
    Memory.putShortBe(frame + SOURCE, (int) (mac >>> 32));
    Memory.putIntBe(frame + SOURCE + 2, (int) mac);
  }

  public static void type(long frame, int type) {
    Memory.putShortBe(frame + TYPE, type);
  }

  /** Sends the frame back to where it came from. */
  public static void swapAddresses(long frame) {
    long destination = destination(frame);
    destination(frame, source(frame));
    source(frame, destination);
  }

  /** {@code 02:00:00:00:00:01} for the lower 48 bits of {@code mac}. */
  public static String printMac(long mac) {
    StringBuilder text = new StringBuilder(17);
    for (int shift = 40; shift >= 0; shift -= 8) {
      int octet = (int) ((mac & MAC) >>> shift) & 0xFF;
      text.append(Character.forDigit(octet >>> 4, 16)).append(Character.forDigit(octet & 15, 16));
      if (shift > 0) {
        text.append(':');
      }
    }
    return text.toString();
  }

  /** {@code 02:…:01 > 02:…:02 type 0x0800}. */
  public static String print(long frame) {
    return "%s > %s type 0x%04x"
        .formatted(printMac(source(frame)), printMac(destination(frame)), type(frame));
  }
}
