package io.gatun.ffm.netlink;

import io.gatun.ffm.netlink.Attributes.Layout;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A next hop that routes name by its number ({@code ip nexthop}), immutable.
 *
 * @param group its members when it is a group, else none
 * @param ifIndex 0 for a group and a blackhole
 * @param gateway null when destinations are neighbours themselves
 * @param fdb says where a VXLAN device sends to and is no route's
 */
public record NextHopObject(
    int id,
    List<Member> group,
    boolean blackhole,
    int ifIndex,
    @Nullable InetAddress gateway,
    boolean onlink,
    boolean fdb)
    implements KernelObject {

  /** One of a group; the weight is its share, from 1. */
  public record Member(int id, int weight) {}

  // struct nhmsg: family u8, scope u8, protocol u8, reserved u8, flags u32 (linux/nexthop.h)
  static final Layout LAYOUT = new Layout("nhmsg", 8);
  static final int FLAGS = 4;
  private static final int NHA_ID = 1;
  private static final int NHA_GROUP = 2;
  private static final int NHA_BLACKHOLE = 4;
  private static final int NHA_OIF = 5;
  private static final int NHA_GATEWAY = 6;
  private static final int NHA_FDB = 11;
  private static final int RTNH_F_ONLINK = 4;
  // struct nexthop_grp: id u32, weight − 1 u8, its high byte u8 (kernel 6.12), u16
  private static final int MEMBER_BYTES = 8;

  static NextHopObject parse(ByteBuffer body) {
    Attributes attributes = LAYOUT.attributes(body);
    List<Member> members = new ArrayList<>();
    ByteBuffer group = attributes.get(NHA_GROUP);
    for (int at = 0; group != null && group.limit() - at >= MEMBER_BYTES; at += MEMBER_BYTES) {
      int weight = (group.get(at + 4) & 0xFF) | (group.get(at + 5) & 0xFF) << 8;
      members.add(new Member(group.getInt(at), weight + 1));
    }
    return new NextHopObject(
        attributes.integer(NHA_ID, 0),
        List.copyOf(members),
        attributes.get(NHA_BLACKHOLE) != null,
        attributes.integer(NHA_OIF, 0),
        attributes.address(NHA_GATEWAY, body.get(0) & 0xFF),
        (body.getInt(FLAGS) & RTNH_F_ONLINK) != 0,
        attributes.get(NHA_FDB) != null);
  }
}
