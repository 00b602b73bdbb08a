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
  // A table that changes while it is read comes marked as inconsistent; read it again.
  private static final int ATTEMPTS = 10;
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
    ByteBuffer request = request(Message.NEWNEIGH, Message.F_ACK | Message.F_CREATE);
    byte family = (byte) (address instanceof Inet4Address ? Libc.AF_INET : Libc.AF_INET6);
    int body = Message.HEADER;
    request.put(body, family);
    request.putInt(body + Neighbour.IFINDEX, ifIndex);
    request.put(body + Neighbour.FLAGS, (byte) Neighbour.NTF_USE);
    byte[] bytes = address.getAddress();
    int at = body + Neighbour.LAYOUT.bytes();
    request.putShort(at, (short) (4 + bytes.length));
    request.putShort(at + 2, (short) Neighbour.NDA_DST);
    request.put(at + 4, bytes);
    send(request, at + 4 + bytes.length);
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

  /** Only what has {@code value} in byte {@code field} of its struct. */
  private <T extends KernelObject> List<T> dump(
      int type, Layout layout, Class<T> kind, int field, int value) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      // A family of zero: all of them, but for AF_BRIDGE.
      ByteBuffer request = request(type, Message.F_DUMP);
      request.put(Message.HEADER + field, (byte) value);
      send(request, Message.HEADER + layout.bytes());
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
