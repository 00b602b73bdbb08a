package io.gatun.port.packet;

import io.gatun.packet.IpProtocol;
import io.gatun.port.PortSet;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What of an uplink's frames is the node's own, in the form of which a socket filter and an
 * nftables chain are made; immutable.
 *
 * <p>A classic filter has room for so many: addresses beyond are left out and gaps between claimed
 * ports are filled. What therefore comes to us without being ours goes back by the host's port.
 *
 * @param ipv4 the kernel's addresses, as on the wire, sorted
 * @param ipv6 likewise
 * @param claims by protocol, ranges {@code {first, last}} of ports that are ours all the same
 */
record OwnList(List<byte[]> ipv4, List<byte[]> ipv6, Map<Integer, List<int[]>> claims) {
  static final int MOST_IPV4 = 128;
  static final int MOST_IPV6 = 48;
  static final int MOST_RANGES = 128;

  /** The protocols that have ports. */
  static final List<Integer> PROTOCOLS = List.of(IpProtocol.TCP, IpProtocol.UDP, IpProtocol.SCTP);

  static final OwnList NONE = of(List.of(), new PortSet());

  static OwnList of(Collection<InetAddress> addresses, PortSet claims) {
    List<byte[]> all =
        addresses.stream().map(InetAddress::getAddress).sorted(Arrays::compareUnsigned).toList();
    Map<Integer, List<int[]>> ranges = new TreeMap<>();
    for (int protocol : PROTOCOLS) {
      ranges.put(protocol, List.copyOf(claims.ranges(protocol, MOST_RANGES)));
    }
    return new OwnList(
        all.stream().filter(a -> a.length == 4).limit(MOST_IPV4).toList(),
        all.stream().filter(a -> a.length == 16).limit(MOST_IPV6).toList(),
        Map.copyOf(ranges));
  }

  /** What is the kernel's by this list and by {@code other}: nothing that one of them claims. */
  OwnList and(OwnList other) {
    Map<Integer, List<int[]>> both = new TreeMap<>();
    for (int protocol : PROTOCOLS) {
      PortSet ports = new PortSet();
      for (OwnList list : List.of(this, other)) {
        list.ranges(protocol).forEach(range -> ports.add(protocol, range[0], range[1]));
      }
      both.put(protocol, List.copyOf(ports.ranges(protocol, 2 * MOST_RANGES)));
    }
    return new OwnList(common(ipv4, other.ipv4), common(ipv6, other.ipv6), Map.copyOf(both));
  }

  private static List<byte[]> common(List<byte[]> some, List<byte[]> others) {
    List<byte[]> common = new ArrayList<>();
    for (byte[] one : some) {
      if (others.stream().anyMatch(other -> Arrays.equals(one, other))) {
        common.add(one);
      }
    }
    return common;
  }

  List<int[]> ranges(int protocol) {
    return claims.getOrDefault(protocol, List.of());
  }

  @Override
  public String toString() {
    return ipv4.size() + ipv6.size() + " addresses";
  }
}
