package io.gatun.port.packet;

import io.gatun.ffm.nft.NftRule;
import io.gatun.ffm.nft.NftRule.Base;
import io.gatun.ffm.nft.NftRule.Meta;
import io.gatun.packet.IpProtocol;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rules of an interface's ingress chain: the kernel drops its copy of what our socket takes
 * ({@link FrameFilter}), and nothing else; stateless.
 *
 * <p>A load beyond the frame's end ends a rule, which then does not hold; so each header field has
 * a rule of its own that names what is ours, and what is left is the kernel's.
 */
final class IngressRules {
  /** The set whose element is the lease. */
  static final String LEASE = "lease";

  static final String OWN4 = "own4";
  static final String OWN6 = "own6";

  /** RFC 792: destination unreachable, source quench, time exceeded, parameter problem. */
  static final int[] ICMP_ERRORS = {3, 4, 11, 12};

  private static final int ETHERTYPE = 12;
  private static final int IPV4 = 0x0800;
  private static final int IPV6 = 0x86DD;
  private static final int IPV4_HEADER = 20;
  private static final int IPV6_HEADER = 40;
  private static final int IPV4_PROTOCOL = 9;
  private static final int IPV6_PROTOCOL = 6;

  private final List<NftRule> rules = new ArrayList<>();

  /** The set of a protocol's claimed ports. */
  static String claimed(int protocol) {
    return switch (protocol) {
      case IpProtocol.TCP -> "claimed_tcp";
      case IpProtocol.UDP -> "claimed_udp";
      default -> "claimed_sctp";
    };
  }

  private IngressRules() {}

  private void lease() {
    add().meta(Meta.DEVICE_TYPE).notIn(LEASE).accept();
  }

  /**
   * A pod's.
   *
   * @param bridge of a bridge's port: the set of the MAC addresses that the bridge does not keep to
   *     itself; null for others
   */
  static List<NftRule> pod(@Nullable String bridge) {
    IngressRules chain = new IngressRules();
    chain.lease();
    chain.add().payload(Base.LINK, 0, 1).mask(1).isNot(0).accept();
    if (bridge != null) {
      chain.add().payload(Base.LINK, 0, 6).notIn(bridge).accept();
    }
    // The type as it was on the wire: that of a VLAN tag, also when the kernel keeps it aside.
    chain.type(IPV4).drop();
    chain.add().payload(Base.LINK, ETHERTYPE, 2).isNot(IPV6).accept();
    chain.linkLocal();
    chain.add().drop();
    return chain.rules;
  }

  /**
   * An uplink's.
   *
   * @param first what is to be accepted before all else, for speed: see {@link OwnStreams}
   */
  static List<NftRule> uplink(byte[] mac, List<NftRule> first) {
    IngressRules chain = new IngressRules();
    chain.rules.addAll(first);
    chain.lease();
    chain.add().payload(Base.LINK, 0, mac.length).isNot(mac).accept();
    chain.add().payload(Base.LINK, ETHERTYPE, 2).isNot(IPV4).isNot(IPV6).accept();
    chain.ipv4();
    chain.linkLocal();
    chain.ipv6();
    return chain.rules;
  }

  private NftRule add() {
    NftRule rule = new NftRule();
    rules.add(rule);
    return rule;
  }

  private NftRule type(int type) {
    return add().payload(Base.LINK, ETHERTYPE, 2).is(type);
  }

  private void linkLocal() {
    for (int address : new int[] {8, 24}) {
      type(IPV6).payload(Base.NETWORK, address, 2).mask(0xFFC0).is(0xFE80).accept();
    }
    icmpv6().atLeast(133).atMost(137).accept();
  }

  private void ipv4() {
    type(IPV4).payload(Base.NETWORK, 16, 1).atLeast(224).accept();
    type(IPV4).payload(Base.NETWORK, 0, 1).isNot(0x45).drop();
    type(IPV4)
        .payload(Base.NETWORK, 16, 4)
        .notIn(OWN4)
        .payload(Base.NETWORK, IPV4_PROTOCOL, 1)
        .is(IpProtocol.UDP)
        .payload(Base.NETWORK, 6, 2)
        .mask(0x3FFF)
        .is(0)
        .payload(Base.NETWORK, IPV4_HEADER + 2, 2)
        .is(68)
        .accept();
    type(IPV4).payload(Base.NETWORK, 16, 4).notIn(OWN4).drop();
    type(IPV4).payload(Base.NETWORK, 6, 2).mask(0x3FFF).isNot(0).drop();
    for (int protocol : OwnList.PROTOCOLS) {
      type(IPV4)
          .payload(Base.NETWORK, IPV4_PROTOCOL, 1)
          .is(protocol)
          .payload(Base.NETWORK, IPV4_HEADER + 2, 2)
          .in(claimed(protocol))
          .drop();
    }
    for (int error : ICMP_ERRORS) {
      icmp().is(error).drop();
    }
    icmp().is(0).payload(Base.NETWORK, IPV4_HEADER + 4, 2).in(claimed(IpProtocol.TCP)).drop();
    type(IPV4).accept();
  }

  private NftRule icmp() {
    return type(IPV4)
        .payload(Base.NETWORK, IPV4_PROTOCOL, 1)
        .is(IpProtocol.ICMP)
        .payload(Base.NETWORK, IPV4_HEADER, 1);
  }

  private void ipv6() {
    add().payload(Base.NETWORK, 24, 1).is(0xFF).accept();
    add().payload(Base.NETWORK, 24, 16).notIn(OWN6).drop();
    add().payload(Base.NETWORK, IPV6_PROTOCOL, 1).is(IpProtocol.FRAGMENT).drop();
    for (int protocol : OwnList.PROTOCOLS) {
      add()
          .payload(Base.NETWORK, IPV6_PROTOCOL, 1)
          .is(protocol)
          .payload(Base.NETWORK, IPV6_HEADER + 2, 2)
          .in(claimed(protocol))
          .drop();
    }
    icmpv6().atMost(127).drop();
    icmpv6().is(129).payload(Base.NETWORK, IPV6_HEADER + 4, 2).in(claimed(IpProtocol.TCP)).drop();
  }

  private NftRule icmpv6() {
    return type(IPV6)
        .payload(Base.NETWORK, IPV6_PROTOCOL, 1)
        .is(IpProtocol.ICMPV6)
        .payload(Base.NETWORK, IPV6_HEADER, 1);
  }
}
