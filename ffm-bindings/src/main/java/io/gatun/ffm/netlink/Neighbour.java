package io.gatun.ffm.netlink;

import io.gatun.ffm.netlink.Attributes.Layout;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * An entry of the ARP or neighbour discovery table, immutable.
 *
 * @param mac null while it is not known; not to be changed
 * @param state bits of {@code NUD_…}
 */
@SuppressWarnings("ArrayRecordComponent") // six bytes, read only; never compared
public record Neighbour(int ifIndex, InetAddress address, byte @Nullable [] mac, int state)
    implements KernelObject {

  public static final int NUD_INCOMPLETE = 0x01;
  public static final int NUD_REACHABLE = 0x02;
  public static final int NUD_STALE = 0x04;
  public static final int NUD_DELAY = 0x08;
  public static final int NUD_PROBE = 0x10;
  public static final int NUD_FAILED = 0x20;
  public static final int NUD_NOARP = 0x40;
  public static final int NUD_PERMANENT = 0x80;

  /** States in which the MAC may be used (include/net/neighbour.h, NUD_VALID). */
  private static final int NUD_VALID =
      NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;

  // struct ndmsg: family u8, ifindex s32 at 4, state u16, flags u8, type u8
  static final Layout LAYOUT = new Layout("ndmsg", 12);
  static final int IFINDEX = 4;
  static final int STATE = 8;
  static final int FLAGS = 10;
  static final int NTF_USE = 1;
  static final int NTF_MASTER = 4;
  static final int NDA_DST = 1;
  static final int NDA_LLADDR = 2;

  /** Whether frames can be sent to {@link #mac()} now. */
  public boolean valid() {
    return mac != null && (state & NUD_VALID) != 0;
  }

  /** Null for what is not a neighbour of IPv4 or IPv6 (a bridge's forwarding entry). */
  static @Nullable Neighbour parse(ByteBuffer body) {
    Attributes attributes = LAYOUT.attributes(body);
    int family = body.get(0) & 0xFF;
    InetAddress address =
        Attributes.isInternet(family) ? attributes.address(NDA_DST, family) : null;
    if (address == null) {
      return null;
    }
    byte[] mac = attributes.bytes(NDA_LLADDR);
    return new Neighbour(
        body.getInt(IFINDEX), address, mac.length == 0 ? null : mac, body.getShort(STATE) & 0xFFFF);
  }
}
