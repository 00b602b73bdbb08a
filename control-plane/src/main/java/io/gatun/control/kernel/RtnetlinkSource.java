package io.gatun.control.kernel;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.RouteType;
import io.gatun.control.kernel.KernelTables.Way;
import io.gatun.ffm.Libc;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The tables of the network namespace in which this was made, by rtnetlink; for one thread.
 *
 * <p>A subscription tells when to look again; what is seen is always a whole dump, so a message
 * that the kernel could not deliver (ENOBUFS) costs nothing but that look. Numbers are of
 * linux/rtnetlink.h, if_link.h, if_addr.h and neighbour.h.
 */
public final class RtnetlinkSource implements KernelSource {
  private static final int RTM_GETLINK = 18;
  private static final int RTM_GETADDR = 22;
  private static final int RTM_GETROUTE = 26;
  private static final int RTM_NEWNEIGH = 28;
  private static final int RTM_GETNEIGH = 30;

  // sizeof ifinfomsg, ifaddrmsg, rtmsg, ndmsg
  private static final int IFINFO = 16;
  private static final int IFADDR = 8;
  private static final int RTMSG = 12;
  private static final int NDMSG = 12;

  /** RTMGRP_LINK, NEIGH, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE. */
  private static final int GROUPS = 1 | 4 | 0x10 | 0x40 | 0x100 | 0x400;

  private static final int IFF_UP = 1;
  private static final int RT_TABLE_MAIN = 254;
  private static final int RTM_F_CLONED = 0x200;

  /** RTNH_F_DEAD | RTNH_F_LINKDOWN: the kernel would not use it either. */
  private static final int UNUSABLE_HOP = 1 | 16;

  private static final int NTF_USE = 1;
  private static final int NUD_STALE = 0x04;

  /** REACHABLE, STALE, DELAY, PROBE, PERMANENT: the MAC address may be used. */
  private static final int NUD_USABLE = 0x02 | NUD_STALE | 0x08 | 0x10 | 0x80;

  private final Netlink ask = new Netlink(0);
  private final Netlink events = new Netlink(GROUPS);

  @Override
  public KernelTables read() {
    return new KernelTables(links(), addresses(), routes(), neighbours());
  }

  @Override
  public boolean changed() {
    return events.drain();
  }

  private List<KernelTables.Link> links() {
    List<KernelTables.Link> links = new ArrayList<>();
    for (ByteBuffer body : ask.dump(RTM_GETLINK, IFINFO)) {
      Map<Integer, byte[]> attributes = attributes(body, IFINFO);
      byte[] mac = attributes.get(1); // IFLA_ADDRESS
      byte[] name = attributes.get(3); // IFLA_IFNAME
      if (name != null) {
        links.add(
            new KernelTables.Link(
                body.getInt(4),
                new String(name, 0, Math.max(0, name.length - 1), StandardCharsets.UTF_8),
                new MacAddress(mac != null && mac.length == 6 ? MacAddress.of(mac).bits() : 0),
                number(attributes.get(4), 1500), // IFLA_MTU
                (body.getInt(8) & IFF_UP) != 0));
      }
    }
    return List.copyOf(links);
  }

  private List<KernelTables.Address> addresses() {
    List<KernelTables.Address> addresses = new ArrayList<>();
    for (ByteBuffer body : ask.dump(RTM_GETADDR, IFADDR)) {
      Map<Integer, byte[]> attributes = attributes(body, IFADDR);
      byte[] local = attributes.get(2); // IFA_LOCAL, of point-to-point links this end
      InetAddress address = address(local == null ? attributes.get(1) : local); // IFA_ADDRESS
      if (address != null) {
        addresses.add(new KernelTables.Address(body.getInt(4), address));
      }
    }
    return List.copyOf(addresses);
  }

  private List<KernelTables.Route> routes() {
    List<KernelTables.Route> routes = new ArrayList<>();
    for (ByteBuffer body : ask.dump(RTM_GETROUTE, RTMSG)) {
      Map<Integer, byte[]> attributes = attributes(body, RTMSG);
      int family = body.get(0);
      int table = number(attributes.get(15), body.get(4) & 0xff); // RTA_TABLE
      RouteType type = RoutePlan.type(body.get(7) & 0xff);
      boolean ip = family == Libc.AF_INET || family == Libc.AF_INET6;
      boolean fromAnywhere = body.get(2) == 0; // rtm_src_len
      if (ip
          && table == RT_TABLE_MAIN
          && type != null
          && fromAnywhere
          && (body.getInt(8) & RTM_F_CLONED) == 0) {
        InetAddress to = address(attributes.get(1)); // RTA_DST, missing for the default route
        if (to == null) {
          to = Addresses.of(new byte[family == Libc.AF_INET ? 4 : 16]);
        }
        routes.add(
            new KernelTables.Route(
                new Prefix(to, body.get(1) & 0xff),
                type,
                type == RouteType.UNICAST ? ways(attributes, body.getInt(8)) : List.of(),
                number(attributes.get(6), 0) & 0xffffffffL)); // RTA_PRIORITY
      }
    }
    return List.copyOf(routes);
  }

  private static List<Way> ways(Map<Integer, byte[]> attributes, int flags) {
    byte[] multipath = attributes.get(9); // RTA_MULTIPATH
    if (multipath == null) {
      return (flags & UNUSABLE_HOP) != 0
          ? List.of()
          : List.of(new Way(number(attributes.get(4), 0), gateway(attributes), 1)); // RTA_OIF
    }
    List<Way> ways = new ArrayList<>();
    ByteBuffer hops = ByteBuffer.wrap(multipath).order(ByteOrder.nativeOrder());
    for (int at = 0; at + 8 <= multipath.length; ) {
      int length = hops.getShort(at) & 0xffff; // rtnexthop: length, flags, weight − 1, interface
      if (length < 8 || at + length > multipath.length) {
        break;
      }
      if ((hops.get(at + 2) & UNUSABLE_HOP) == 0) {
        ByteBuffer hop = hops.slice(at, length).order(ByteOrder.nativeOrder());
        ways.add(new Way(hop.getInt(4), gateway(attributes(hop, 8)), (hop.get(3) & 0xff) + 1));
      }
      at += length + 3 & ~3;
    }
    return List.copyOf(ways);
  }

  /** Also an IPv6 next hop of an IPv4 route (RFC 5549): its MAC address is all that is needed. */
  private static @Nullable InetAddress gateway(Map<Integer, byte[]> attributes) {
    byte[] via = attributes.get(18); // RTA_VIA: family u16, address
    if (via != null && via.length > 2) {
      byte[] bytes = new byte[via.length - 2];
      System.arraycopy(via, 2, bytes, 0, bytes.length);
      return address(bytes);
    }
    return address(attributes.get(5)); // RTA_GATEWAY
  }

  private List<KernelTables.Neighbour> neighbours() {
    List<KernelTables.Neighbour> neighbours = new ArrayList<>();
    for (ByteBuffer body : ask.dump(RTM_GETNEIGH, NDMSG)) {
      Map<Integer, byte[]> attributes = attributes(body, NDMSG);
      int family = body.get(0);
      InetAddress address = address(attributes.get(1)); // NDA_DST
      if (address != null && (family == Libc.AF_INET || family == Libc.AF_INET6)) {
        int state = body.getShort(8) & 0xffff;
        byte[] mac = attributes.get(2); // NDA_LLADDR
        boolean usable = mac != null && mac.length == 6 && (state & NUD_USABLE) != 0;
        neighbours.add(
            new KernelTables.Neighbour(
                body.getInt(4),
                address,
                mac != null && usable ? MacAddress.of(mac) : null,
                (state & NUD_STALE) != 0));
      }
    }
    return List.copyOf(neighbours);
  }

  @Override
  public void resolve(int ifIndex, InetAddress address) {
    byte[] bytes = address.getAddress();
    ByteBuffer body = ByteBuffer.allocate(NDMSG + 4 + bytes.length).order(ByteOrder.nativeOrder());
    body.put(0, (byte) (bytes.length == 4 ? Libc.AF_INET : Libc.AF_INET6));
    body.putInt(4, ifIndex);
    body.put(10, (byte) NTF_USE);
    body.putShort(NDMSG, (short) (4 + bytes.length)).putShort(NDMSG + 2, (short) 1); // NDA_DST
    body.put(NDMSG + 4, bytes);
    ask.send(RTM_NEWNEIGH, Netlink.REQUEST | Netlink.CREATE, body);
  }

  /** Type → value; where a type stands twice the first counts. */
  private static Map<Integer, byte[]> attributes(ByteBuffer body, int from) {
    Map<Integer, byte[]> attributes = new HashMap<>();
    for (int at = from; at + 4 <= body.limit(); ) {
      int length = body.getShort(at) & 0xffff;
      if (length < 4 || at + length > body.limit()) {
        break;
      }
      byte[] value = new byte[length - 4];
      body.get(at + 4, value);
      attributes.putIfAbsent(body.getShort(at + 2) & 0x3fff, value); // without NLA_F_… flags
      at += length + 3 & ~3;
    }
    return attributes;
  }

  private static int number(byte @Nullable [] value, int fallback) {
    return value == null || value.length < 4
        ? fallback
        : ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()).getInt();
  }

  private static @Nullable InetAddress address(byte @Nullable [] value) {
    return value != null && (value.length == 4 || value.length == 16) ? Addresses.of(value) : null;
  }

  @Override
  public void close() {
    ask.close();
    events.close();
  }
}
