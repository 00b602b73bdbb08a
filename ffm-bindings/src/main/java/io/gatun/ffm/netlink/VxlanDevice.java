package io.gatun.ffm.netlink;

import io.gatun.ffm.Libc;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * What a VXLAN device was made with, immutable.
 *
 * @param local the outer source address, null for any
 * @param lower index of the device below, 0 for the one that the route says
 * @param port outer destination port
 * @param learning whether it learns peers from what arrives
 */
public record VxlanDevice(
    int vni, @Nullable InetAddress local, int lower, int port, boolean learning) {

  // linux/if_link.h; the port is in network order.
  private static final int IFLA_VXLAN_ID = 1;
  private static final int IFLA_VXLAN_LINK = 3;
  private static final int IFLA_VXLAN_LOCAL = 4;
  private static final int IFLA_VXLAN_LEARNING = 7;
  private static final int IFLA_VXLAN_PORT = 15;
  private static final int IFLA_VXLAN_LOCAL6 = 17;

  static VxlanDevice parse(Attributes data) {
    InetAddress local = data.address(IFLA_VXLAN_LOCAL, Libc.AF_INET);
    byte[] learning = data.bytes(IFLA_VXLAN_LEARNING);
    return new VxlanDevice(
        data.integer(IFLA_VXLAN_ID, 0),
        local == null ? data.address(IFLA_VXLAN_LOCAL6, Libc.AF_INET6) : local,
        data.integer(IFLA_VXLAN_LINK, 0),
        data.unsignedShortBe(IFLA_VXLAN_PORT, 0),
        learning.length > 0 && learning[0] != 0);
  }
}
