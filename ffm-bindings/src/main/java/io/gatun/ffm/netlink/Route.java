package io.gatun.ffm.netlink;

import io.gatun.ffm.netlink.Attributes.Layout;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A route, immutable.
 *
 * @param table 254 main, 255 local, 253 default
 * @param type one of the constants here
 * @param destination 0.0.0.0 or :: with prefix length 0 for the default route
 * @param nextHops none for blackhole, unreachable and prohibit; several for multipath
 * @param metric the smaller the better
 * @param protocol who made it: 2 kernel, 3 boot, 4 static, …
 * @param source what local senders use as address, null for any
 * @param tos of packets that it is for, 0 for all
 * @param nextHopId of the {@link NextHopObject} that says the ways, 0 when it says them itself;
 *     with {@code net.ipv4.nexthop_compat_mode} the kernel repeats them in the route
 */
public record Route(
    int table,
    int type,
    InetAddress destination,
    int prefixLength,
    List<NextHop> nextHops,
    long metric,
    int protocol,
    int scope,
    @Nullable InetAddress source,
    int tos,
    int nextHopId)
    implements KernelObject {

  public static final int TABLE_MAIN = 254;
  public static final int TABLE_LOCAL = 255;
  public static final int UNICAST = 1;
  public static final int LOCAL = 2;
  public static final int BROADCAST = 3;
  public static final int ANYCAST = 4;
  public static final int MULTICAST = 5;
  public static final int BLACKHOLE = 6;
  public static final int UNREACHABLE = 7;
  public static final int PROHIBIT = 8;
  public static final int THROW = 9;

  // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type u8; flags u32
  static final Layout LAYOUT = new Layout("rtmsg", 12);
  static final int DST_LEN = 1;
  static final int TOS = 3;
  static final int TABLE = 4;
  static final int PROTOCOL = 5;
  static final int SCOPE = 6;
  static final int TYPE = 7;
  static final int FLAGS = 8;
  private static final int RTM_F_CLONED = 0x200;
  private static final int RTA_DST = 1;
  private static final int RTA_OIF = 4;
  private static final int RTA_GATEWAY = 5;
  private static final int RTA_PRIORITY = 6;
  private static final int RTA_PREFSRC = 7;
  private static final int RTA_MULTIPATH = 9;
  private static final int RTA_TABLE = 15;
  private static final int RTA_VIA = 18;
  private static final int RTA_NH_ID = 30;

  /** Null for what is not a route of IPv4 or IPv6, or only a cached one. */
  static @Nullable Route parse(ByteBuffer body) {
    Attributes attributes = LAYOUT.attributes(body);
    int family = body.get(0) & 0xFF;
    int flags = body.getInt(FLAGS);
    if (!Attributes.isInternet(family) || (flags & RTM_F_CLONED) != 0) {
      return null;
    }
    InetAddress destination = attributes.address(RTA_DST, family);
    return new Route(
        attributes.integer(RTA_TABLE, body.get(TABLE) & 0xFF),
        body.get(TYPE) & 0xFF,
        destination == null ? Attributes.anyAddress(family) : destination,
        Attributes.prefixLength(body.get(DST_LEN) & 0xFF, family),
        nextHops(attributes, family, flags),
        Integer.toUnsignedLong(attributes.integer(RTA_PRIORITY, 0)),
        body.get(PROTOCOL) & 0xFF,
        body.get(SCOPE) & 0xFF,
        attributes.address(RTA_PREFSRC, family),
        body.get(TOS) & 0xFF,
        attributes.integer(RTA_NH_ID, 0));
  }

  private static List<NextHop> nextHops(Attributes attributes, int family, int flags) {
    ByteBuffer multipath = attributes.get(RTA_MULTIPATH);
    if (multipath != null) {
      return multipath(multipath, family);
    }
    int ifIndex = attributes.integer(RTA_OIF, 0);
    return ifIndex == 0
        ? List.of()
        : List.of(NextHop.of(ifIndex, gateway(attributes, family), 1, flags));
  }

  private static List<NextHop> multipath(ByteBuffer hops, int family) {
    List<NextHop> found = new ArrayList<>();
    int at = 0;
    while (hops.limit() - at >= NextHop.BYTES) {
      int length = hops.getShort(at + NextHop.LENGTH) & 0xFFFF;
      if (length < NextHop.BYTES || length > hops.limit() - at) {
        throw Attributes.malformed("a next hop of " + length + " bytes");
      }
      Attributes attributes =
          Attributes.parse(Attributes.slice(hops, at + NextHop.BYTES, length - NextHop.BYTES));
      found.add(
          NextHop.of(
              hops.getInt(at + NextHop.IFINDEX),
              gateway(attributes, family),
              (hops.get(at + NextHop.HOPS) & 0xFF) + 1,
              hops.get(at + NextHop.FLAGS) & 0xFF));
      at += (length + 3) & -4;
    }
    return List.copyOf(found);
  }

  /** A gateway may be of another family than the route (RFC 5549): struct rtvia. */
  private static @Nullable InetAddress gateway(Attributes attributes, int family) {
    ByteBuffer via = attributes.get(RTA_VIA);
    if (via != null && via.limit() > 2) {
      int viaFamily = via.getShort(0) & 0xFFFF;
      return Attributes.address(Attributes.slice(via, 2, via.limit() - 2), viaFamily);
    }
    return attributes.address(RTA_GATEWAY, family);
  }
}
