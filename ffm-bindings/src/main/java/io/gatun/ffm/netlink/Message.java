package io.gatun.ffm.netlink;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One netlink message: a struct nlmsghdr taken apart, and what came after it. */
record Message(int type, int flags, int sequence, ByteBuffer body) {
  static final int ERROR = 2;
  static final int DONE = 3;
  static final int NEWLINK = 16;
  static final int DELLINK = 17;
  static final int GETLINK = 18;
  static final int NEWADDR = 20;
  static final int DELADDR = 21;
  static final int GETADDR = 22;
  static final int NEWROUTE = 24;
  static final int DELROUTE = 25;
  static final int GETROUTE = 26;
  static final int NEWNEIGH = 28;
  static final int DELNEIGH = 29;
  static final int GETNEIGH = 30;
  static final int NEWRULE = 32;
  static final int DELRULE = 33;
  static final int GETRULE = 34;
  static final int NEWNETCONF = 80;
  static final int DELNETCONF = 81;
  static final int GETNETCONF = 82;
  static final int NEWNEXTHOP = 104;
  static final int DELNEXTHOP = 105;
  static final int GETNEXTHOP = 106;

  static final int F_REQUEST = 1;
  static final int F_ACK = 4;
  static final int F_DUMP_INTR = 0x10;
  static final int F_DUMP = 0x300;
  static final int F_REPLACE = 0x100;
  static final int F_CREATE = 0x400;
  static final int F_APPEND = 0x800;

  // struct nlmsghdr: len u32, type u16, flags u16, seq u32, pid u32
  static final int HEADER = 16;
  static final int LENGTH = 0;
  static final int TYPE = 4;
  static final int FLAGS = 6;
  static final int SEQUENCE = 8;

  /** The messages of one datagram, in host order from 0 to its limit. */
  static List<Message> parse(ByteBuffer datagram) {
    List<Message> messages = new ArrayList<>();
    parse(datagram, messages);
    return messages;
  }

  /** Adds to {@code messages} what comes before a length that lies. */
  static void parse(ByteBuffer datagram, List<Message> messages) {
    int at = 0;
    while (datagram.limit() - at >= HEADER) {
      int length = datagram.getInt(at + LENGTH);
      if (length < HEADER || length > datagram.limit() - at) {
        throw Attributes.malformed(
            "a message of " + length + " bytes where " + (datagram.limit() - at) + " are left");
      }
      messages.add(
          new Message(
              datagram.getShort(at + TYPE) & 0xFFFF,
              datagram.getShort(at + FLAGS) & 0xFFFF,
              datagram.getInt(at + SEQUENCE),
              Attributes.slice(datagram, at + HEADER, length - HEADER)));
      at += (length + 3) & -4;
    }
  }

  /** What the message is about; null when that is nothing we know. */
  @Nullable KernelObject object() {
    return switch (type) {
      // A bridge tells of its ports by a family of its own: such a DELLINK means that a port left
      // the bridge, not that the device is gone.
      case NEWLINK, DELLINK ->
          body.limit() > 0 && body.get(0) == FdbEntry.AF_BRIDGE
              ? BridgePort.parse(body)
              : Link.parse(body);
      case NEWADDR, DELADDR -> Address.parse(body);
      case NEWROUTE, DELROUTE -> Route.parse(body);
      case NEWNEIGH, DELNEIGH ->
          body.limit() > 0 && body.get(0) == FdbEntry.AF_BRIDGE
              ? FdbEntry.parse(body)
              : Neighbour.parse(body);
      case NEWRULE, DELRULE -> Rule.parse(body);
      case NEWNETCONF, DELNETCONF -> DeviceSettings.parse(body, removal());
      case NEWNEXTHOP, DELNEXTHOP -> NextHopObject.parse(body);
      default -> null;
    };
  }

  boolean removal() {
    return switch (type) {
      case DELLINK, DELADDR, DELROUTE, DELNEIGH, DELRULE, DELNETCONF, DELNEXTHOP -> true;
      default -> false;
    };
  }

  /** The −errno in an ERROR or DONE message, 0 for success. */
  int error() {
    return body.limit() < 4 ? 0 : body.getInt(0);
  }
}
