package io.gatun.ffm.netlink;

import io.gatun.ffm.Libc;
import io.gatun.ffm.netlink.Attributes.Layout;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What {@code /proc/sys/net/ipv4/conf/DEVICE} says, as far as rtnetlink tells of it and it is of
 * use; immutable.
 *
 * @param ifIndex {@link #ALL}, {@link #DEFAULT}, or a device's index
 * @param rpFilter the check of source addresses: 0 none, 1 strict, 2 loose (RFC 3704); what counts
 *     for a device is the greater one of its own and that of {@link #ALL}
 */
public record DeviceSettings(int ifIndex, int rpFilter) implements KernelObject {
  // linux/netconf.h. struct netconfmsg: family u8, and attributes from 4 on
  public static final int ALL = -1;
  public static final int DEFAULT = -2;
  static final Layout LAYOUT = new Layout("netconfmsg", 4);
  private static final int NETCONFA_IFINDEX = 1;
  private static final int NETCONFA_RP_FILTER = 3;

  /** Null for other families, which have no such check, and for messages about something else. */
  static @Nullable DeviceSettings parse(ByteBuffer body, boolean removal) {
    Attributes attributes = LAYOUT.attributes(body);
    if ((body.get(0) & 0xFF) != Libc.AF_INET) {
      return null;
    }
    if (attributes.get(NETCONFA_IFINDEX) == null) {
      throw Attributes.malformed("device settings without NETCONFA_IFINDEX");
    }
    boolean told = removal || attributes.get(NETCONFA_RP_FILTER) != null;
    return told
        ? new DeviceSettings(
            attributes.integer(NETCONFA_IFINDEX, 0), attributes.integer(NETCONFA_RP_FILTER, 0))
        : null;
  }
}
