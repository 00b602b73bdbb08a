package io.gatun.ffm.netlink;

import java.nio.ByteBuffer;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a bridge says of one of its ports, or of itself as one: by messages of family AF_BRIDGE.
 * Immutable.
 *
 * @param bridge the port itself where that is the bridge
 * @param forwarding neither blocked nor on its way to forwarding
 * @param hairpin a frame may leave by the port that it came by
 * @param learning addresses are learnt from what comes in
 * @param isolated no frames to or from other isolated ports
 * @param pvid the VLAN of untagged frames that come in, 0 for none
 * @param untagged VLANs whose frames leave without a tag
 */
public record BridgePort(
    int index,
    int bridge,
    boolean forwarding,
    boolean hairpin,
    boolean learning,
    boolean isolated,
    int pvid,
    Set<Integer> untagged)
    implements KernelObject {

  // linux/if_link.h, linux/if_bridge.h
  private static final int IFLA_MASTER = 10;
  private static final int IFLA_PROTINFO = 12;
  private static final int IFLA_AF_SPEC = 26;
  private static final int IFLA_BRPORT_STATE = 1;
  private static final int IFLA_BRPORT_MODE = 4;
  private static final int IFLA_BRPORT_LEARNING = 8;
  private static final int IFLA_BRPORT_ISOLATED = 33;
  private static final int IFLA_BRIDGE_VLAN_INFO = 2;
  private static final int BR_STATE_FORWARDING = 3;
  private static final int VLANS = 4096;

  // struct bridge_vlan_info: flags u16, vid u16
  private static final int PVID = 2;
  private static final int UNTAGGED = 4;
  private static final int RANGE_BEGIN = 8;

  static BridgePort parse(ByteBuffer body) {
    Attributes attributes = Link.LAYOUT.attributes(body);
    Attributes port = attributes.nested(IFLA_PROTINFO);
    int index = body.getInt(Link.INDEX);
    int bridge = attributes.integer(IFLA_MASTER, 0);
    boolean itself = index == bridge;
    int pvid = 0;
    int from = 0;
    Set<Integer> untagged = new TreeSet<>();
    for (ByteBuffer vlan : Attributes.all(attributes.get(IFLA_AF_SPEC), IFLA_BRIDGE_VLAN_INFO)) {
      if (vlan.limit() < 4) {
        continue;
      }
      int flags = vlan.getShort(0) & 0xFFFF;
      int id = vlan.getShort(2) & 0xFFFF;
      if (id >= VLANS) {
        throw Attributes.malformed("VLAN " + id);
      }
      pvid = (flags & PVID) != 0 ? id : pvid;
      if ((flags & RANGE_BEGIN) != 0) {
        from = id;
        continue;
      }
      for (int v = from == 0 ? id : from; v <= id && (flags & UNTAGGED) != 0; v++) {
        untagged.add(v);
      }
      from = 0;
    }
    return new BridgePort(
        index,
        bridge,
        itself || flag(port, IFLA_BRPORT_STATE) == BR_STATE_FORWARDING,
        flag(port, IFLA_BRPORT_MODE) != 0,
        !itself && flag(port, IFLA_BRPORT_LEARNING) != 0,
        flag(port, IFLA_BRPORT_ISOLATED) != 0,
        pvid,
        Set.copyOf(untagged));
  }

  private static int flag(Attributes port, int type) {
    byte[] value = port.bytes(type);
    return value.length == 0 ? 0 : value[0];
  }
}
