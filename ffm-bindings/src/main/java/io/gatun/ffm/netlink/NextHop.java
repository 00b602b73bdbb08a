package io.gatun.ffm.netlink;

import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * One way a route goes, immutable.
 *
 * @param gateway null when destinations are neighbours themselves
 * @param weight share of flows, 1 to 256
 * @param onlink the gateway is a neighbour even where no prefix of the device says so
 * @param dead the device is down: not to be used
 * @param noCarrier the device has no carrier; the kernel goes on using it unless {@code
 *     ignore_routes_with_linkdown} says otherwise
 */
public record NextHop(
    int ifIndex,
    @Nullable InetAddress gateway,
    int weight,
    boolean onlink,
    boolean dead,
    boolean noCarrier) {

  // struct rtnexthop: len u16, flags u8, hops u8 (weight − 1), ifindex s32
  static final int BYTES = 8;
  static final int LENGTH = 0;
  static final int FLAGS = 2;
  static final int HOPS = 3;
  static final int IFINDEX = 4;
  private static final int RTNH_F_DEAD = 1;
  private static final int RTNH_F_ONLINK = 4;
  private static final int RTNH_F_LINKDOWN = 16;

  static NextHop of(int ifIndex, @Nullable InetAddress gateway, int weight, int flags) {
    return new NextHop(
        ifIndex,
        gateway,
        weight,
        (flags & RTNH_F_ONLINK) != 0,
        (flags & RTNH_F_DEAD) != 0,
        (flags & RTNH_F_LINKDOWN) != 0);
  }
}
