package io.gatun.control.kernel;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A rtnetlink socket of the network namespace that its maker was in; for one thread.
 *
 * <pre>
 *   nlmsghdr   length u32 │ type u16 │ flags u16 │ sequence u32 │ port u32     (host order)
 *   body       a struct of the type, then attributes: length u16 │ type u16 │ value, padded to 4
 * </pre>
 */
final class Netlink implements AutoCloseable {
  // linux/netlink.h
  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  static final int REQUEST = 1;
  static final int CREATE = 0x400;
  private static final int DUMP = 0x300;
  private static final int DUMP_INTERRUPTED = 0x10;
  private static final int HEADER = 16;
  private static final int NETLINK_ROUTE = 0;

  private static final int EAGAIN = 11;

  /** The kernel fills up to 32 KiB with one answer when it finds room for it. */
  private static final int BUFFER = 64 << 10;

  private final NativeArea buffer = NativeArea.map("netlink", BUFFER);
  private final int fd;
  private int sequence;

  /**
   * @param groups bit mask of RTMGRP_…, 0 for a socket that only asks
   */
  Netlink(int groups) {
    fd =
        checked(
            "socket(AF_NETLINK)",
            Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, NETLINK_ROUTE));
    long address = buffer.address(); // sockaddr_nl: family u16, pad u16, port u32, groups u32
    Memory.zero(address, 12);
    Memory.putShort(address, Libc.AF_NETLINK);
    Memory.putInt(address + 8, groups);
    checked("bind(AF_NETLINK)", Libc.bind(fd, address, 12));
  }

  private static int checked(String call, long result) {
    if (result < 0) {
      throw new NativeException(call, (int) -result, "is netlink allowed in this sandbox?");
    }
    return (int) result;
  }

  /** The bodies of all answers to a dump of {@code type}; each begins with its struct. */
  List<ByteBuffer> dump(int type, int structBytes) {
    List<ByteBuffer> bodies = new ArrayList<>();
    // A table that changed under the dump is dumped again; a third time what there is will do.
    for (int attempt = 0; attempt < 3; attempt++) {
      bodies.clear();
      send(type, REQUEST | DUMP, ByteBuffer.allocate(structBytes));
      if (receive(bodies)) {
        break;
      }
    }
    return bodies;
  }

  /** Sends a message without waiting for its success. */
  void send(int type, int flags, ByteBuffer body) {
    byte[] bytes = body.array();
    long at = buffer.address();
    Memory.putInt(at, HEADER + bytes.length);
    Memory.putShort(at + 4, type);
    Memory.putShort(at + 6, flags);
    Memory.putInt(at + 8, ++sequence);
    Memory.putInt(at + 12, 0);
    Memory.copyIn(bytes, 0, at + HEADER, bytes.length);
    checked("send(netlink)", Libc.send(fd, at, HEADER + bytes.length, 0));
  }

  /** Everything up to the end of a dump; false when the table changed meanwhile. */
  private boolean receive(List<ByteBuffer> bodies) {
    boolean whole = true;
    while (true) {
      int bytes = checked("recv(netlink)", Libc.recv(fd, buffer.address(), BUFFER, 0));
      for (int offset = 0; offset + HEADER <= bytes; ) {
        long at = buffer.address() + offset;
        int length = Memory.getInt(at);
        if (length < HEADER || offset + length > bytes) {
          break;
        }
        if (Memory.getInt(at + 8) == sequence) { // not the late answer to something else
          int type = Memory.getShort(at + 4) & 0xffff;
          whole &= (Memory.getShort(at + 6) & DUMP_INTERRUPTED) == 0;
          if (type == NLMSG_DONE) {
            return whole;
          }
          if (type == NLMSG_ERROR) {
            checked("netlink dump", Memory.getInt(at + HEADER));
            return whole;
          }
          byte[] body = new byte[length - HEADER];
          Memory.copyOut(at + HEADER, body, 0, body.length);
          bodies.add(ByteBuffer.wrap(body).order(ByteOrder.nativeOrder()));
        }
        offset += length + 3 & ~3;
      }
    }
  }

  /** Throws away what a subscription brought; true when there was anything, or too much. */
  boolean drain() {
    boolean any = false;
    while (true) {
      long bytes = Libc.recv(fd, buffer.address(), BUFFER, Libc.MSG_DONTWAIT);
      if (bytes == -EAGAIN) {
        return any;
      }
      any = true; // also ENOBUFS: messages were lost, so something changed
      if (bytes < 0 && bytes != -ENOBUFS) {
        return true;
      }
    }
  }

  private static final int ENOBUFS = 105;

  @Override
  public void close() {
    Libc.close(fd);
    buffer.close();
  }
}
