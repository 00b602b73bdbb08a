package io.gatun.ffm.netlink;

import io.gatun.ffm.Libc;
import io.gatun.ffm.netlink.Attributes.Layout;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A rule that says which table is looked into ({@code ip rule}), immutable.
 *
 * @param priority the lower comes first
 * @param action 1 look into {@code table}; others: see linux/fib_rules.h
 * @param in name of the interface that packets came by, empty for any
 * @param out the same for the socket's interface
 * @param source of packets it is for, null for all
 * @param destination the same
 * @param mark of packets it is for, 0 for all
 * @param protocol who made it: 2 kernel, 3 boot, 4 static, …
 */
public record Rule(
    boolean ipv6,
    int priority,
    int action,
    int table,
    String in,
    String out,
    @Nullable InetAddress source,
    int sourceLength,
    @Nullable InetAddress destination,
    int destinationLength,
    int mark,
    int protocol)
    implements KernelObject {

  // struct fib_rule_hdr: family, dst_len, src_len, tos, table, 2 × reserved, action u8; flags u32
  static final Layout LAYOUT = new Layout("fib_rule_hdr", 12);
  static final int DST_LEN = 1;
  static final int SRC_LEN = 2;
  static final int TABLE = 4;
  static final int ACTION = 7;
  private static final int FRA_DST = 1;
  private static final int FRA_SRC = 2;
  private static final int FRA_IIFNAME = 3;
  private static final int FRA_PRIORITY = 6;
  private static final int FRA_FWMARK = 10;
  private static final int FRA_TABLE = 15;
  private static final int FRA_OIFNAME = 17;
  private static final int FRA_PROTOCOL = 21;

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
        attributes.string(FRA_IIFNAME),
        attributes.string(FRA_OIFNAME),
        attributes.address(FRA_SRC, family),
        Attributes.prefixLength(body.get(SRC_LEN) & 0xFF, family),
        attributes.address(FRA_DST, family),
        Attributes.prefixLength(body.get(DST_LEN) & 0xFF, family),
        attributes.integer(FRA_FWMARK, 0),
        protocol.length == 0 ? 0 : protocol[0] & 0xFF);
  }
}
