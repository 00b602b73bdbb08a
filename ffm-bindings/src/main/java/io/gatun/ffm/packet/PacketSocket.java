package io.gatun.ffm.packet;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;

/**
 * An AF_PACKET socket on one interface, with offload headers and without echoes of what is sent.
 * Opened and closed by one thread; a {@link MessageBatch} reads from and writes to {@link #fd}.
 */
public final class PacketSocket implements AutoCloseable {
  // linux/if_packet.h
  private static final int SOL_PACKET = 263;
  private static final int PACKET_STATISTICS = 6;
  private static final int PACKET_VNET_HDR = 15;
  private static final int PACKET_QDISC_BYPASS = 20;
  private static final int PACKET_IGNORE_OUTGOING = 23;

  /** ETH_P_ALL in network order: such sockets see a frame before the ingress hook drops it. */
  private static final int EVERYTHING = 0x0300;

  // struct sockaddr_ll: family u16 @0, protocol be16 @2, ifindex @4, …
  private static final int SOCKADDR_BYTES = 20;

  /**
   * Bytes that wait in the kernel at most: what a stack with a window of some MB sends while the
   * worker is away for a moment.
   */
  private static final int RECEIVE_BUFFER = 8 << 20;

  private static final int SEND_BUFFER = 4 << 20;

  /** The kernel doubles a buffer's size, and counts struct sk_buff and its data for each frame. */
  private static final int LEAST_OF_A_FRAME = 512;

  /** More frames than the receive buffer holds of the smallest. */
  public static final int MOST_WAITING = 2 * RECEIVE_BUFFER / LEAST_OF_A_FRAME;

  private final int fd;
  private final NativeArea scratch;
  private long dropped;
  private boolean closed;

  private PacketSocket(int fd, NativeArea scratch) {
    this.fd = fd;
    this.scratch = scratch;
  }

  /**
   * Opens a socket on interface {@code ifIndex} of the calling thread's network namespace, for the
   * frames that pass {@code filter}.
   */
  public static PacketSocket open(int ifIndex, FilterProgram filter) {
    int fd =
        (int)
            NativeException.check(
                Libc.socket(Libc.AF_PACKET, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, 0),
                "socket(AF_PACKET)",
                "needs CAP_NET_RAW and a kernel with CONFIG_PACKET");
    NativeArea scratch = NativeArea.map("packet socket", SOCKADDR_BYTES);
    PacketSocket socket = new PacketSocket(fd, scratch);
    try {
      option(fd, PACKET_VNET_HDR, "PACKET_VNET_HDR", "needs Linux 2.6.27");
      option(fd, PACKET_IGNORE_OUTGOING, "PACKET_IGNORE_OUTGOING", "needs Linux 4.20");
      option(fd, PACKET_QDISC_BYPASS, "PACKET_QDISC_BYPASS", "needs Linux 3.14");
      // Beyond the sysctls' limits with CAP_NET_ADMIN; without it the default sizes have to do.
      Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, RECEIVE_BUFFER);
      Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, SEND_BUFFER);
      NativeException.check( // before bind: nothing comes unfiltered
          filter.attach(fd), "attach the socket filter", "raise net.core.optmem_max");
      long address = scratch.address();
      Memory.putShort(address, Libc.AF_PACKET);
      Memory.putShort(address + 2, EVERYTHING);
      Memory.putInt(address + 4, ifIndex);
      NativeException.check(
          Libc.bind(fd, address, SOCKADDR_BYTES), "bind(AF_PACKET)", "is the interface there?");
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /** The socket of a process before us, by our own descriptor of it, which is closed with this. */
  public static PacketSocket adopt(int fd) {
    return new PacketSocket(fd, NativeArea.map("packet socket", SOCKADDR_BYTES));
  }

  private static void option(int fd, int option, String name, String remedy) {
    NativeException.check(Libc.setsockopt(fd, SOL_PACKET, option, 1), name, remedy);
  }

  /** The descriptor: for batches and poll(2). */
  public int fd() {
    return fd;
  }

  /** From now on, at once, other frames pass; 0 or −errno, with the filter before still there. */
  public synchronized int filter(FilterProgram filter) {
    return closed ? 0 : filter.attach(fd);
  }

  /** Frames that found the receive buffer full so far; for one thread, not the packets'. */
  public synchronized long dropped() {
    if (!closed) {
      // struct tpacket_stats: packets u32, drops u32; reading sets both to zero
      long address = scratch.address();
      if (Libc.getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, address, 8) == 8) {
        dropped += Memory.getInt(address + 4) & 0xFFFF_FFFFL;
      }
    }
    return dropped;
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      Libc.close(fd);
      scratch.close();
    }
  }
}
