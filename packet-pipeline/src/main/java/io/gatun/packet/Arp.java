package io.gatun.packet;

import io.gatun.ffm.memory.Memory;

/** ARP for IPv4 over Ethernet, 28 bytes (RFC 826). Stateless; any thread. */
public final class Arp {
  public static final int HARDWARE_TYPE = 0;
  public static final int PROTOCOL_TYPE = 2;
  public static final int SIZES = 4;
  public static final int OPERATION = 6;
  public static final int SENDER_MAC = 8;
  public static final int SENDER = 14;
  public static final int TARGET_MAC = 18;
  public static final int TARGET = 24;
  public static final int BYTES = 28;

  public static final int REQUEST = 1;
  public static final int REPLY = 2;

  private static final int ETHERNET_IPV4 = 1 << 16 | Ethernet.IPV4;
  private static final int SIZES_6_4 = 6 << 8 | 4;

  private Arp() {}

  /** True for a whole message about IPv4 over Ethernet. */
  public static boolean fits(long arp, int bytes) {
    return bytes >= BYTES
        && Memory.getIntBe(arp + HARDWARE_TYPE) == ETHERNET_IPV4
        && Memory.getShortBe(arp + SIZES) == SIZES_6_4;
  }

  public static int operation(long arp) {
    return Memory.getShortBe(arp + OPERATION);
  }

  public static long senderMac(long arp) {
    return Memory.getLongBe(arp + SENDER_MAC) >>> 16;
  }

  public static int sender(long arp) {
    return Memory.getIntBe(arp + SENDER);
  }

  public static long targetMac(long arp) {
    return Memory.getLongBe(arp + TARGET_MAC) >>> 16;
  }

  public static int target(long arp) {
    return Memory.getIntBe(arp + TARGET);
  }

  /** Writes a whole message. */
  public static void write(
      long arp, int operation, long senderMac, int sender, long targetMac, int target) {
    Memory.putIntBe(arp + HARDWARE_TYPE, ETHERNET_IPV4);
    Memory.putShortBe(arp + SIZES, SIZES_6_4);
    Memory.putShortBe(arp + OPERATION, operation);
    Memory.putShortBe(arp + SENDER_MAC, (int) (senderMac >>> 32));
    Memory.putIntBe(arp + SENDER_MAC + 2, (int) senderMac);
    Memory.putIntBe(arp + SENDER, sender);
    Memory.putShortBe(arp + TARGET_MAC, (int) (targetMac >>> 32));
    Memory.putIntBe(arp + TARGET_MAC + 2, (int) targetMac);
    Memory.putIntBe(arp + TARGET, target);
  }

  /** {@code arp request 10.0.0.1 asks for 10.0.0.2}. */
  public static String print(long arp) {
    String sender = Ipv4.printAddress(sender(arp));
    String target = Ipv4.printAddress(target(arp));
    return operation(arp) == REQUEST
        ? "arp request " + sender + " asks for " + target
        : "arp reply " + sender + " is at " + Ethernet.printMac(senderMac(arp));
  }
}
