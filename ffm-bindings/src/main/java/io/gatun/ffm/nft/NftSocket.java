package io.gatun.ffm.nft;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;

/** Commits transactions in the network namespace of the thread that made this. Thread-safe. */
public final class NftSocket implements AutoCloseable {
  private static final int NETLINK_NETFILTER = 12;
  private static final int BUFFER = 128 << 10;

  // struct nlmsghdr: len u32, type u16 @4, flags u16 @6, seq u32 @8; then, in an error, −errno @16
  private static final int TYPE = 4;
  private static final int SEQUENCE = 8;
  private static final int CODE = 16;
  private static final int ERROR = 2;

  /** The kernel answers before sendto(2) returns; so long only if something is very wrong. */
  private static final int PATIENCE_MILLIS = 1000;

  private final int fd;
  private final NativeArea area;
  private boolean closed;

  public NftSocket() {
    fd =
        (int)
            NativeException.check(
                Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, NETLINK_NETFILTER),
                "socket(NETLINK_NETFILTER)",
                "needs a kernel with CONFIG_NETFILTER_NETLINK");
    area = NativeArea.map("nftables messages", BUFFER + Libc.POLLFD_BYTES);
  }

  /** Makes everything in {@code transaction} true, or nothing; returns 0 or the first −errno. */
  public synchronized int commit(NftTransaction transaction) {
    if (closed) {
      return -Errno.EBADF;
    }
    byte[] request = transaction.bytes();
    if (request.length > BUFFER) {
      return -Errno.EMSGSIZE;
    }
    long buffer = area.address();
    while (Libc.recv(fd, buffer, BUFFER, Libc.MSG_DONTWAIT) > 0) {
      // an answer that came too late for its transaction
    }
    Memory.copyIn(request, 0, buffer, request.length);
    long sent = Libc.send(fd, buffer, request.length, 0);
    return sent < 0 ? (int) sent : answer(transaction.lastSequence());
  }

  /** Failed messages are answered in order, and the last one always. */
  private int answer(int lastSequence) {
    int first = 0;
    long buffer = area.address();
    long poll = buffer + BUFFER;
    while (true) {
      Memory.putInt(poll, fd);
      Memory.putInt(poll + Libc.POLLFD_EVENTS, Libc.POLLIN);
      int ready = Libc.poll(poll, 1, PATIENCE_MILLIS);
      if (ready == 0) {
        return first != 0 ? first : -Errno.EAGAIN;
      }
      long bytes = ready < 0 ? ready : Libc.recv(fd, buffer, BUFFER, Libc.MSG_DONTWAIT);
      if (bytes == -Errno.EINTR) {
        continue;
      }
      if (bytes < 0) {
        return (int) bytes;
      }
      int at = 0;
      while (bytes - at >= CODE + Integer.BYTES) {
        long message = buffer + at;
        if (Memory.getShort(message + TYPE) == ERROR) {
          int code = Memory.getInt(message + CODE);
          first = first == 0 ? code : first;
          int sequence = Memory.getInt(message + SEQUENCE);
          if (sequence == lastSequence || sequence == 0) { // 0: the transaction as a whole
            return first;
          }
        }
        at += Math.max(CODE, Memory.getInt(message) + 3 & -4);
      }
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      Libc.close(fd);
      area.close();
    }
  }
}
