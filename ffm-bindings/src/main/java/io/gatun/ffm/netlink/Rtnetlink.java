package io.gatun.ffm.netlink;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.netlink.Attributes.Layout;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks the kernel for its tables, whole, in the network namespace of the thread that made this. For
 * one thread at a time; each call waits for the answer.
 */
public final class Rtnetlink implements AutoCloseable {
  private static final int MAX_REQUEST = 256;
  private static final int BODY = Message.HEADER + Neighbour.LAYOUT.bytes();

  // A table that changes while it is read comes marked as inconsistent; read it again.
  private static final int ATTEMPTS = 10;
  // linux/if_link.h, linux/rtnetlink.h
  private static final int IFLA_EXT_MASK = 29;
  private static final int RTEXT_FILTER_BRVLAN = 2;

  // The first byte of every struct.
  private static final int FAMILY = 0;

  private final NetlinkSocket socket = new NetlinkSocket(0);
  private int sequence;
  private int malformed;

  /** Every device of the namespace. */
  public List<Link> links() {
    return dump(Message.GETLINK, Link.LAYOUT, Link.class);
  }

  /** Every IPv4 and IPv6 address of its devices. */
  public List<Address> addresses() {
    return dump(Message.GETADDR, Address.LAYOUT, Address.class);
  }

  /** Routes of all tables, the local one too, without cached ones. */
  public List<Route> routes() {
    return dump(Message.GETROUTE, Route.LAYOUT, Route.class);
  }

  /** Routes of one table; however many there are in the others, they cost nothing. */
  public List<Route> routes(int table) {
    return dump(Message.GETROUTE, Route.LAYOUT, Route.class, Route.TABLE, table).stream()
        .filter(route -> route.table() == table) // kernels before 4.20 hand over all
        .toList();
  }

  /** The ARP and the neighbour discovery table. */
  public List<Neighbour> neighbours() {
    return dump(Message.GETNEIGH, Neighbour.LAYOUT, Neighbour.class);
  }

  /** The forwarding databases of bridges and VXLAN devices. */
  public List<FdbEntry> forwardingEntries() {
    return dump(Message.GETNEIGH, Neighbour.LAYOUT, FdbEntry.class, FAMILY, FdbEntry.AF_BRIDGE);
  }

  /** IPv4 settings of every device, of all together and of those to come. */
  public List<DeviceSettings> deviceSettings() {
    return dump(
        Message.GETNETCONF, DeviceSettings.LAYOUT, DeviceSettings.class, FAMILY, Libc.AF_INET);
  }

  /** The ports of all bridges, and the bridges themselves as ports, with their VLANs. */
  public List<BridgePort> bridgePorts() {
    return dump(
        Message.GETLINK,
        Link.LAYOUT,
        BridgePort.class,
        FAMILY,
        FdbEntry.AF_BRIDGE,
        new int[] {IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN});
  }

  /** The next hops that routes name by their number; none where the kernel is older than 5.3. */
  public List<NextHopObject> nextHops() {
    return dump(Message.GETNEXTHOP, NextHopObject.LAYOUT, NextHopObject.class);
  }

  /** The rules of both families that say which table is looked into. */
  public List<Rule> rules() {
    return dump(Message.GETRULE, Rule.LAYOUT, Rule.class);
  }

  /** Objects that were left out of the answers so far because they could not be read. */
  public int malformed() {
    return malformed;
  }

  /**
   * Makes the kernel resolve a neighbour, or keep it fresh, as if it were sending to it (NTF_USE).
   * Returns 0 or −errno; the outcome shows in {@link #neighbours()} or a subscription.
   */
  public int useNeighbour(int ifIndex, InetAddress address) {
    int family = address instanceof Inet4Address ? Libc.AF_INET : Libc.AF_INET6;
    ByteBuffer request = use(family, ifIndex, Neighbour.NTF_USE);
    return ask(request, append(request, BODY, Neighbour.NDA_DST, address.getAddress()));
  }

  /**
   * Makes the bridge learn that {@code mac} is behind its port {@code ifIndex}, or remember it for
   * another while, as if a frame had come from there (NTF_USE). Returns 0 or −errno.
   *
   * @param vlan 0 where the bridge does not tell VLANs apart
   */
  public int useForwarding(int ifIndex, byte[] mac, int vlan) {
    int flags = Neighbour.NTF_USE | Neighbour.NTF_MASTER;
    ByteBuffer request = use(FdbEntry.AF_BRIDGE, ifIndex, flags);
    request.putShort(Message.HEADER + Neighbour.STATE, (short) Neighbour.NUD_REACHABLE);
    int at = append(request, BODY, Neighbour.NDA_LLADDR, mac);
    if (vlan != 0) {
      byte[] id =
          ByteBuffer.allocate(2).order(ByteOrder.nativeOrder()).putShort((short) vlan).array();
      at = append(request, at, FdbEntry.NDA_VLAN, id);
    }
    return ask(request, at);
  }

  private ByteBuffer use(int family, int ifIndex, int flags) {
    ByteBuffer request = request(Message.NEWNEIGH, Message.F_ACK | Message.F_CREATE);
    request.put(Message.HEADER, (byte) family);
    request.putInt(Message.HEADER + Neighbour.IFINDEX, ifIndex);
    request.put(Message.HEADER + Neighbour.FLAGS, (byte) flags);
    return request;
  }

  /** Where the next attribute goes. */
  private static int append(ByteBuffer request, int at, int type, byte[] value) {
    request.putShort(at, (short) (4 + value.length));
    request.putShort(at + 2, (short) type);
    request.put(at + 4, value);
    return at + 4 + (value.length + 3 & -4);
  }

  /** Sends {@code length} bytes and waits for the acknowledgement. */
  private int ask(ByteBuffer request, int length) {
    send(request, length);
    while (true) {
      for (Message message : socket.receive(0)) {
        if (message.sequence() == sequence && message.type() == Message.ERROR) {
          return message.error();
        }
      }
    }
  }

  private <T extends KernelObject> List<T> dump(int type, Layout layout, Class<T> kind) {
    return dump(type, layout, kind, 0, 0);
  }

  private <T extends KernelObject> List<T> dump(
      int type, Layout layout, Class<T> kind, int field, int value) {
    return dump(type, layout, kind, field, value, new int[0]);
  }

  /**
   * Only what has {@code value} in byte {@code field} of its struct.
   *
   * @param attribute type and value of an attribute that says what is wanted; empty for none
   */
  private <T extends KernelObject> List<T> dump(
      int type, Layout layout, Class<T> kind, int field, int value, int[] attribute) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      // A family of zero: all of them, but for AF_BRIDGE.
      ByteBuffer request = request(type, Message.F_DUMP);
      request.put(Message.HEADER + field, (byte) value);
      int length = Message.HEADER + layout.bytes();
      if (attribute.length != 0) {
        byte[] word =
            ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(attribute[1]).array();
        length = append(request, length, attribute[0], word);
      }
      send(request, length);
      List<T> objects = new ArrayList<>();
      if (collect(objects, kind)) {
        return objects;
      }
    }
    throw new NativeException(
        "dump of " + kind.getSimpleName(), Errno.EAGAIN, "the table never stood still; try later");
  }

  /** Reads a dump to its end; false when the table changed meanwhile. */
  private <T extends KernelObject> boolean collect(List<T> objects, Class<T> kind) {
    boolean consistent = true;
    while (true) {
      for (Message message : socket.receive(0)) {
        if (message.sequence() != sequence) {
          continue; // what is left of a dump that failed
        }
        consistent &= (message.flags() & Message.F_DUMP_INTR) == 0;
        if (message.type() == Message.DONE || message.type() == Message.ERROR) {
          NativeException.check(
              message.error(), "dump of " + kind.getSimpleName(), "see the kernel's log");
          return consistent;
        }
        try {
          KernelObject object = message.object();
          if (kind.isInstance(object)) {
            objects.add(kind.cast(object));
          }
        } catch (UncheckedIOException unreadable) {
          malformed++; // one that cannot be read must not hide all others
        }
      }
    }
  }

  private ByteBuffer request(int type, int flags) {
    sequence++;
    return ByteBuffer.allocate(MAX_REQUEST)
        .order(ByteOrder.nativeOrder())
        .putShort(Message.TYPE, (short) type)
        .putShort(Message.FLAGS, (short) (flags | Message.F_REQUEST))
        .putInt(Message.SEQUENCE, sequence);
  }

  private void send(ByteBuffer request, int length) {
    request.putInt(Message.LENGTH, length).limit(length);
    NativeException.check(socket.send(request), "send to netlink", "raise net.core.wmem_max");
  }

  @Override
  public void close() {
    socket.close();
  }
}
