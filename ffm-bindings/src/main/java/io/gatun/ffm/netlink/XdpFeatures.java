package io.gatun.ffm.netlink;

import io.gatun.ffm.NativeException;
import io.gatun.ffm.netlink.Attributes.Layout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a device's driver can do with XDP, as it says itself ({@code linux/netdev.h}, generic
 * netlink's family {@code netdev}, Linux 6.3); nothing is attached to find out. Immutable.
 *
 * @param bits enum netdev_xdp_act
 */
public record XdpFeatures(long bits) {
  // enum netdev_xdp_act
  private static final int BASIC = 1;
  private static final int REDIRECT = 2;
  private static final int ZERO_COPY = 8;

  // linux/genetlink.h: struct genlmsghdr: cmd u8, version u8, reserved u16
  private static final Layout LAYOUT = new Layout("genlmsghdr", 4);
  private static final int NETLINK_GENERIC = 16;
  private static final int CONTROLLER = 16; // GENL_ID_CTRL
  private static final int GET_FAMILY = 3;
  private static final int FAMILY_ID = 1;
  private static final int FAMILY_NAME = 2;

  // linux/netdev.h
  private static final int DEVICE_GET = 1;
  private static final int IFINDEX = 1;
  private static final int XDP_FEATURES = 3;

  /** The driver runs programs itself, and sockets get frames from it. */
  public boolean isNative() {
    return (bits & BASIC) != 0 && (bits & REDIRECT) != 0;
  }

  /** Sockets can have their frames written into by the device. */
  public boolean isZeroCopy() {
    return isNative() && (bits & ZERO_COPY) != 0;
  }

  /** Of the device of that number; null when the kernel does not say. */
  public static @Nullable XdpFeatures of(int ifIndex) {
    try (NetlinkSocket socket = new NetlinkSocket(NETLINK_GENERIC, 0)) {
      byte[] name = "netdev\0".getBytes(StandardCharsets.US_ASCII);
      Attributes family = ask(socket, CONTROLLER, GET_FAMILY, FAMILY_NAME, name);
      int number = family == null ? 0 : family.unsignedShort(FAMILY_ID, 0);
      if (number == 0) {
        return null;
      }
      byte[] index = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(ifIndex).array();
      Attributes device = ask(socket, number, DEVICE_GET, IFINDEX, index);
      ByteBuffer features = device == null ? null : device.get(XDP_FEATURES);
      return features == null || features.limit() < 8 ? null : new XdpFeatures(features.getLong(0));
    }
  }

  /** The answer's attributes; null when the kernel knows no such thing. */
  private static @Nullable Attributes ask(
      NetlinkSocket socket, int type, int command, int attribute, byte[] value) {
    int length = Message.HEADER + LAYOUT.bytes() + 4 + value.length;
    ByteBuffer request = ByteBuffer.allocate((length + 3) & -4).order(ByteOrder.nativeOrder());
    request.putInt(Message.LENGTH, request.limit());
    request.putShort(Message.TYPE, (short) type);
    request.putShort(Message.FLAGS, (short) Message.F_REQUEST);
    request.put(Message.HEADER, (byte) command);
    request.put(Message.HEADER + 1, (byte) 1);
    int at = Message.HEADER + LAYOUT.bytes();
    request.putShort(at, (short) (4 + value.length));
    request.putShort(at + 2, (short) attribute);
    request.put(at + 4, value);
    NativeException.check(socket.send(request), "ask generic netlink", "needs Linux 6.3");
    List<Message> answers = socket.receive(0);
    return answers.isEmpty() || answers.getFirst().type() == Message.ERROR
        ? null
        : LAYOUT.attributes(answers.getFirst().body());
  }
}
