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
 * @param dontFragment whether outer packets say so
 * @param plain frames are as in RFC 7348 and go where the device's own tables say: neither metadata
 *     of another program's nor protocol extensions
 */
public record VxlanDevice(
    int vni,
    @Nullable InetAddress local,
    int lower,
    int port,
    boolean learning,
    boolean dontFragment,
    boolean plain) {

  // linux/if_link.h; the port is in network order.
  private static final int IFLA_VXLAN_ID = 1;
  private static final int IFLA_VXLAN_LINK = 3;
  private static final int IFLA_VXLAN_LOCAL = 4;
  private static final int IFLA_VXLAN_LEARNING = 7;
  private static final int IFLA_VXLAN_PORT = 15;
  private static final int IFLA_VXLAN_LOCAL6 = 17;
  private static final int IFLA_VXLAN_COLLECT_METADATA = 25;
  private static final int IFLA_VXLAN_GPE = 27;
  private static final int IFLA_VXLAN_DF = 29;
  private static final int VXLAN_DF_SET = 1;

  static VxlanDevice parse(Attributes data) {
    InetAddress local = data.address(IFLA_VXLAN_LOCAL, Libc.AF_INET);
    return new VxlanDevice(
        data.integer(IFLA_VXLAN_ID, 0),
        local == null ? data.address(IFLA_VXLAN_LOCAL6, Libc.AF_INET6) : local,
        data.integer(IFLA_VXLAN_LINK, 0),
        data.unsignedShortBe(IFLA_VXLAN_PORT, 0),
        octet(data, IFLA_VXLAN_LEARNING) != 0,
        octet(data, IFLA_VXLAN_DF) == VXLAN_DF_SET,
        octet(data, IFLA_VXLAN_COLLECT_METADATA) == 0 && data.get(IFLA_VXLAN_GPE) == null);
  }

  private static int octet(Attributes data, int type) {
    byte[] value = data.bytes(type);
    return value.length > 0 ? value[0] : 0;
  }
}
