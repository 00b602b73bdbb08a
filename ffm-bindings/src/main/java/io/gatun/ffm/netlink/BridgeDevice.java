package io.gatun.ffm.netlink;

/**
 * How a bridge is set, immutable.
 *
 * @param vlanFiltering whether VLANs are told apart
 * @param ageingMillis after how long without a frame an address is forgotten
 */
public record BridgeDevice(boolean vlanFiltering, long ageingMillis) {
  // linux/if_link.h; times in hundredths of a second, whatever the kernel's own clock counts.
  private static final int IFLA_BR_AGEING_TIME = 4;
  private static final int IFLA_BR_VLAN_FILTERING = 7;
  private static final int HUNDREDTH_MILLIS = 10;

  /** The kernel's default: IEEE 802.1D says 300 s. */
  private static final int AGEING = 30_000;

  static BridgeDevice parse(Attributes data) {
    byte[] filtering = data.bytes(IFLA_BR_VLAN_FILTERING);
    long ageing = data.integer(IFLA_BR_AGEING_TIME, AGEING) & 0xFFFF_FFFFL;
    return new BridgeDevice(filtering.length > 0 && filtering[0] != 0, ageing * HUNDREDTH_MILLIS);
  }
}
