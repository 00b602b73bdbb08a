package io.gatun.ffm.netlink;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A bound netlink socket with one buffer for both directions. For one thread. */
final class NetlinkSocket implements AutoCloseable {
  private static final int NETLINK_ROUTE = 0;
  // struct sockaddr_nl: family u16, pid u32 at 4, groups u32 at 8
  private static final int SOCKADDR_BYTES = 12;
  // The kernel fills datagrams up to 32 KiB (net/netlink/af_netlink.c, netlink_dump).
  private static final int BUFFER_BYTES = 128 << 10;
  // linux/netlink.h: the kernel honours the filters of a dump's header (since 4.20)
  private static final int SOL_NETLINK = 270;
  private static final int NETLINK_GET_STRICT_CHK = 12;
  // A notification of 100 bytes is accounted with 768: room for 80,000 routes at once.
  private static final int RECEIVE_BUFFER = 32 << 20; // the kernel doubles it

  private final NativeArea area;
  private final int fd;
  private boolean closed;

  NetlinkSocket(int groups) {
    this(NETLINK_ROUTE, groups);
  }

  /** One of another {@code protocol} of netlink's. */
  NetlinkSocket(int protocol, int groups) {
    int type = Libc.SOCK_RAW | Libc.SOCK_CLOEXEC;
    fd =
        (int)
            NativeException.check(
                Libc.socket(Libc.AF_NETLINK, type, protocol),
                "socket(AF_NETLINK)",
                "raise the limit of open files");
    area = NativeArea.map("netlink buffer", BUFFER_BYTES);
    long buffer = area.address();
    Memory.putShort(buffer, Libc.AF_NETLINK);
    Memory.putInt(buffer + 8, groups);
    int bound = Libc.bind(fd, buffer, SOCKADDR_BYTES);
    if (bound < 0) {
      close();
      throw new NativeException("bind(AF_NETLINK)", bound, "the groups must exist");
    }
    // Beyond rmem_max with CAP_NET_ADMIN; without it the default size has to do.
    Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, RECEIVE_BUFFER);
    Libc.setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
  }

  int fd() {
    return fd;
  }

  long send(ByteBuffer request) {
    byte[] bytes = new byte[request.limit()];
    request.get(0, bytes);
    Memory.copyIn(bytes, 0, area.address(), bytes.length);
    return Libc.send(fd, area.address(), bytes.length, 0);
  }

  /** The messages of the next datagram. Anything but success comes as the exception's errno. */
  List<Message> receive(int flags) {
    return Message.parse(datagram(flags));
  }

  /** The next datagram. Anything but success comes as the exception's errno. */
  private ByteBuffer datagram(int flags) {
    return read(received(flags));
  }

  /** The next datagram if one waits, otherwise null: who asks all the time pays no exception. */
  @Nullable ByteBuffer waiting() {
    long bytes = received(Libc.MSG_DONTWAIT);
    return bytes == -Errno.EAGAIN ? null : read(bytes);
  }

  private long received(int flags) {
    long bytes;
    do {
      bytes = Libc.recv(fd, area.address(), BUFFER_BYTES, flags | Libc.MSG_TRUNC);
    } while (bytes == -Errno.EINTR);
    return bytes;
  }

  private ByteBuffer read(long bytes) {
    NativeException.check(bytes, "receive from netlink", "ask for everything again");
    if (bytes > BUFFER_BYTES) {
      throw Attributes.malformed("a datagram of " + bytes + " bytes");
    }
    byte[] copy = new byte[(int) bytes];
    Memory.copyOut(area.address(), copy, 0, copy.length);
    return ByteBuffer.wrap(copy).order(ByteOrder.nativeOrder());
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Libc.close(fd);
      area.close();
    }
  }
}
