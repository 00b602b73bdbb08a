package io.gatun.ffm.netlink;

import io.gatun.ffm.Libc;
import io.gatun.ffm.netlink.Attributes.Layout;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A rule that says which table is looked into ({@code ip rule}), immutable.
 *
 * @param priority the lower comes first
 * @param action 1 look into {@code table}; others: see linux/fib_rules.h
 * @param target priority that action 2 (goto) goes on at
 * @param inverted for all packets but those that fit
 * @param source of packets it is for, null for all
 * @param destination the same
 * @param conditions what else packets have to fit, and which answers of the table do not count, in
 *     the words of {@code ip rule}
 * @param protocol who made it: 2 kernel, 3 boot, 4 static, …
 */
public record Rule(
    boolean ipv6,
    int priority,
    int action,
    int table,
    int target,
    boolean inverted,
    @Nullable InetAddress source,
    int sourceLength,
    @Nullable InetAddress destination,
    int destinationLength,
    List<String> conditions,
    int protocol)
    implements KernelObject {

  // struct fib_rule_hdr: family, dst_len, src_len, tos, table, 2 × reserved, action u8; flags u32
  static final Layout LAYOUT = new Layout("fib_rule_hdr", 12);
  static final int DST_LEN = 1;
  static final int SRC_LEN = 2;
  static final int TOS = 3;
  static final int TABLE = 4;
  static final int ACTION = 7;
  static final int FLAGS = 8;
  // linux/fib_rules.h
  private static final int FIB_RULE_INVERT = 2;
  private static final int FRA_DST = 1;
  private static final int FRA_SRC = 2;
  private static final int FRA_IIFNAME = 3;
  private static final int FRA_GOTO = 4;
  private static final int FRA_PRIORITY = 6;
  private static final int FRA_FWMARK = 10;
  private static final int FRA_TUN_ID = 12;
  private static final int FRA_SUPPRESS_IFGROUP = 13;
  private static final int FRA_SUPPRESS_PREFIXLEN = 14;
  private static final int FRA_TABLE = 15;
  private static final int FRA_FWMASK = 16;
  private static final int FRA_OIFNAME = 17;
  private static final int FRA_L3MDEV = 19;
  private static final int FRA_UID_RANGE = 20;
  private static final int FRA_PROTOCOL = 21;
  private static final int FRA_IP_PROTO = 22;
  private static final int FRA_SPORT_RANGE = 23;
  private static final int FRA_DPORT_RANGE = 24;

  private static final Map<Integer, String> PROTOCOLS =
      Map.of(1, "icmp", 6, "tcp", 17, "udp", 58, "ipv6-icmp", 132, "sctp");

  public Rule {
    conditions = List.copyOf(conditions);
  }

  /** Null for rules of other families (multicast routing has its own). */
  static @Nullable Rule parse(ByteBuffer body) {
    Attributes attributes = LAYOUT.attributes(body);
    int family = body.get(0) & 0xFF;
    if (!Attributes.isInternet(family)) {
      return null;
    }
    byte[] protocol = attributes.bytes(FRA_PROTOCOL);
    return new Rule(
        family != Libc.AF_INET,
        attributes.integer(FRA_PRIORITY, 0),
        body.get(ACTION) & 0xFF,
        attributes.integer(FRA_TABLE, body.get(TABLE) & 0xFF),
        attributes.integer(FRA_GOTO, 0),
        (body.getInt(FLAGS) & FIB_RULE_INVERT) != 0,
        attributes.address(FRA_SRC, family),
        Attributes.prefixLength(body.get(SRC_LEN) & 0xFF, family),
        attributes.address(FRA_DST, family),
        Attributes.prefixLength(body.get(DST_LEN) & 0xFF, family),
        conditions(body, attributes),
        protocol.length == 0 ? 0 : protocol[0] & 0xFF);
  }

  private static List<String> conditions(ByteBuffer body, Attributes attributes) {
    List<String> all = new ArrayList<>();
    if (body.get(TOS) != 0) {
      all.add("tos 0x" + Integer.toHexString(body.get(TOS) & 0xFF));
    }
    int mark = attributes.integer(FRA_FWMARK, 0);
    int mask = attributes.integer(FRA_FWMASK, mark == 0 ? 0 : -1);
    if (mask != 0) {
      all.add(
          "fwmark 0x"
              + Integer.toHexString(mark)
              + (mask == -1 ? "" : "/0x" + Integer.toHexString(mask)));
    }
    named(all, "iif", attributes.string(FRA_IIFNAME));
    named(all, "oif", attributes.string(FRA_OIFNAME));
    if (attributes.bytes(FRA_L3MDEV).length > 0 && attributes.bytes(FRA_L3MDEV)[0] != 0) {
      all.add("l3mdev");
    }
    ByteBuffer users = attributes.get(FRA_UID_RANGE);
    if (users != null && users.limit() >= 8) {
      String first = Integer.toUnsignedString(users.getInt(0));
      all.add("uidrange " + first + "-" + Integer.toUnsignedString(users.getInt(4)));
    }
    byte[] carried = attributes.bytes(FRA_IP_PROTO);
    if (carried.length > 0) {
      int number = carried[0] & 0xFF;
      all.add("ipproto " + PROTOCOLS.getOrDefault(number, String.valueOf(number)));
    }
    ports(all, "sport", attributes.get(FRA_SPORT_RANGE));
    ports(all, "dport", attributes.get(FRA_DPORT_RANGE));
    if (attributes.get(FRA_TUN_ID) != null) {
      all.add("tun_id");
    }
    suppressed(all, "suppress_prefixlength", attributes.integer(FRA_SUPPRESS_PREFIXLEN, -1));
    suppressed(all, "suppress_ifgroup", attributes.integer(FRA_SUPPRESS_IFGROUP, -1));
    return all;
  }

  private static void named(List<String> all, String word, String name) {
    if (!name.isEmpty()) {
      all.add(word + " " + name);
    }
  }

  /** {@code struct fib_rule_port_range}: two numbers in host order. */
  private static void ports(List<String> all, String word, @Nullable ByteBuffer range) {
    if (range != null && range.limit() >= 4) {
      int first = range.getShort(0) & 0xFFFF;
      int last = range.getShort(2) & 0xFFFF;
      all.add(word + " " + first + (first == last ? "" : "-" + last));
    }
  }

  private static void suppressed(List<String> all, String word, int value) {
    if (value != -1) {
      all.add(word + " " + value);
    }
  }
}
