package io.gatun.pipeline;

import java.util.Locale;

/**
 * Why a packet was dropped: the one stable list. Names appear (in lower case) in {@code gatun
 * drops}, metrics, {@code explain} and captures; codes are never reused, new reasons go to the end.
 */
public enum DropReason {
  // 0 to 19: what arrived is no packet that we can read
  FRAME_TOO_SHORT(0, "shorter than its link-layer header"),
  UNKNOWN_ETHERTYPE(1, "neither IPv4 nor IPv6"),
  BAD_IP_HEADER(2, "version, header length or total length do not fit the frame"),
  BAD_IP_CHECKSUM(3, "IPv4 header checksum is wrong"),
  BAD_IP_ADDRESS(
      4, "source is multicast, loopback or unspecified, or destination cannot be forwarded"),
  BAD_EXTENSION_HEADER(5, "IPv6 extension header chain is cut, too long or out of order"),
  BAD_L4_HEADER(6, "TCP, UDP or ICMP header is cut or its length lies"),
  BAD_L4_CHECKSUM(7, "transport checksum of a packet we would have to answer is wrong"),
  UNSUPPORTED_OFFLOAD(8, "offload metadata contradicts the frame"),
  // 20 to 39: routing
  TTL_EXCEEDED(20, "time to live ran out"),
  NO_ROUTE(21, "no route to the destination"),
  NO_NEIGHBOUR(22, "next hop's link-layer address is unknown"),
  BLACKHOLE_ROUTE(23, "route says blackhole"),
  TOO_BIG(24, "larger than the way out allows and must not be fragmented"),
  NO_TUNNEL(25, "way out is a tunnel that is gone"),
  BAD_VXLAN(26, "VXLAN header is cut or has no VNI, no frame follows, or the checksum is wrong"),
  UNKNOWN_VNI(27, "VXLAN network that does not end here"),
  NESTED_TUNNEL(28, "VXLAN packet to this node inside a VXLAN packet"),
  TUNNEL_FROM_POD(29, "VXLAN packet from a pod"),
  CONGESTION_UNMARKABLE(30, "congestion met in the tunnel by a packet that cannot carry the mark"),
  UNREACHABLE_ROUTE(31, "route says unreachable (answered with host unreachable)"),
  LEFT_TO_BRIDGE(33, "for a MAC address that is the kernel's bridge's affair: it has its own copy"),
  PROHIBITED_ROUTE(32, "route says prohibit (answered with administratively prohibited)"),
  TUNNEL_LOOP(34, "came through a tunnel, and its way out is a tunnel"),
  // 40 to 59: Services and flows
  NO_LOCAL_ENDPOINTS(40, "policy Local and no endpoint of the Service on this node"),
  NO_ENDPOINTS(41, "the Service has no endpoints (answered with port unreachable)"),
  NO_SUCH_PORT(42, "the Service address does not serve this port (answered with port unreachable)"),
  UNASSIGNED_SERVICE_ADDRESS(43, "inside a Service CIDR but no Service's address"),
  NO_FLOW(44, "TCP segment that is no SYN, to a front, without a flow (answered with a reset)"),
  FLOW_TABLE_FULL(45, "no room for a new flow"),
  SNAT_PORTS_EXHAUSTED(
      46, "no free source port towards this endpoint (answered with port unreachable)"),
  FRAGMENT_UNSUPPORTED(
      47, "fragment for a Service whose first one did not come, or that cannot be translated"),
  SOURCE_RANGE(48, "client outside the Service's loadBalancerSourceRanges"),
  BAD_ICMP_QUOTE(49, "ICMP error about an ICMP error, or not sent to whom it is about"),
  BAD_FRAGMENT(50, "fragment that is empty, ragged or beyond the longest datagram"),
  FRAGMENT_OVERLAP(51, "fragment that overlaps another of its datagram, or belongs to such a one"),
  FRAGMENT_SCATTERED(52, "too many gaps between the fragments of its datagram"),
  SERVICE_FLOW_SHARE(53, "its Service has four fifths of all flows, and none of them gives way"),
  NO_SOURCE_ADDRESS(54, "to be masqueraded, and the node has no address of this family"),
  REVERSE_PATH(55, "source address that no route leads back to by the port it came by (rp_filter)"),
  // 60 to 79: ports
  TX_RING_FULL(60, "way out had no room"),
  PORT_DOWN(61, "way out is down or gone"),
  HAND_OFF_FULL(62, "the other worker's ring had no room"),
  NO_HOST_PORT(63, "for this node's own stack, and no host port is configured"),
  // 80 to 99: our own faults
  INTERNAL(80, "a stage left the packet without a verdict");

  /** One more than the largest code: the size of an array indexed by {@link #code()}. */
  public static final int LIMIT = 100;

  private final int code;
  private final String meaning;

  DropReason(int code, String meaning) {
    this.code = code;
    this.meaning = meaning;
  }

  /** The reason that has this number; {@link IllegalArgumentException} where none has. */
  public static DropReason of(int code) {
    for (DropReason reason : values()) {
      if (reason.code == code) {
        return reason;
      }
    }
    throw new IllegalArgumentException("no reason has the number " + code);
  }

  /** Stable number, below {@link #LIMIT}. */
  public int code() {
    return code;
  }

  /** One line for a person. */
  public String meaning() {
    return meaning;
  }

  /** The name in metrics and tables: {@code no_local_endpoints}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
