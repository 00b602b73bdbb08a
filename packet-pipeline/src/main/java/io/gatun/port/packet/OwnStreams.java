package io.gatun.port.packet;

import io.gatun.ffm.nft.NftRule;
import io.gatun.ffm.nft.NftRule.Base;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.port.PortSet;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * The rules for what there may be most of on an uplink, TCP to the node's own addresses: at the
 * head of the chain, by comparisons alone. They accept nothing that the rest of the chain would not
 * accept, with and without a lease (but for frames whose Ethernet type lies, which everybody throws
 * away); they are there for its cost. Stateless.
 *
 * <p>All of the chain cost a stream a sixth of its rate, and two rules with looks into the sets a
 * twelfth: a stream's data leaves nothing of them in the nearest caches.
 */
final class OwnStreams {
  /** Of each interface: the first of them has most of its traffic. */
  private static final int MOST_ADDRESSES = 4;

  /** What claimed ports are rounded up to: a port in between takes the long way. */
  private static final int MOST_RANGES = 3;

  private static final int IPV4_HEADER = 20;
  private static final int IPV6_HEADER = 40;
  private static final int TO_PORT = 2;

  private OwnStreams() {}

  /** For an interface that has {@code addresses}, as far as they are {@code own}. */
  static List<NftRule> rules(Collection<InetAddress> addresses, OwnList own) {
    List<int[]> claimed = claimed(own);
    List<NftRule> rules = new ArrayList<>();
    for (InetAddress address : addresses) {
      byte[] bytes = address.getAddress();
      List<byte[]> owns = bytes.length == 4 ? own.ipv4() : own.ipv6();
      if (!address.isLinkLocalAddress()
          && rules.size() < MOST_ADDRESSES
          && owns.stream().anyMatch(one -> Arrays.equals(one, bytes))) {
        NftRule rule = bytes.length == 4 ? ipv4(bytes) : ipv6(bytes);
        claimed.forEach(range -> rule.outside(range[0], range[1]));
        rules.add(rule.accept());
      }
    }
    return rules;
  }

  private static List<int[]> claimed(OwnList own) {
    PortSet ports = new PortSet();
    own.ranges(IpProtocol.TCP).forEach(range -> ports.add(IpProtocol.TCP, range[0], range[1]));
    return ports.ranges(IpProtocol.TCP, MOST_RANGES);
  }

  /** Not in options or fragments, nor where it may be fragmented: few are. Its port is loaded. */
  private static NftRule ipv4(byte... address) {
    return new NftRule()
        .payload(Base.NETWORK, 16, address.length)
        .is(address)
        .payload(Base.NETWORK, 9, 1)
        .is(IpProtocol.TCP)
        .payload(Base.NETWORK, 6, 2)
        .is(Ipv4.DONT_FRAGMENT)
        .payload(Base.NETWORK, 0, 1)
        .is(0x45)
        .payload(Base.NETWORK, IPV4_HEADER + TO_PORT, 2);
  }

  /** Without extension headers. */
  private static NftRule ipv6(byte... address) {
    return new NftRule()
        .payload(Base.NETWORK, 24, address.length)
        .is(address)
        .payload(Base.NETWORK, 6, 1)
        .is(IpProtocol.TCP)
        .payload(Base.NETWORK, 0, 1)
        .mask(0xF0)
        .is(0x60)
        .payload(Base.NETWORK, IPV6_HEADER + TO_PORT, 2);
  }
}
