package io.gatun.ring.xdp;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Binds a socket to its (device, queue), on a UMEM that it shares or registers. Control side. */
final class XdpBind {
  /** Between two tries of a queue that is busy. */
  private static final long PAUSE_MILLIS = 10;

  private final int fd;
  private final Umem umem;
  private final int ifIndex;
  private final int queue;
  private final XdpMode mode;
  private final long retryNanos;

  XdpBind(int fd, Umem umem, int ifIndex, int queue, XdpMode mode, long retryNanos) {
    this.fd = fd;
    this.umem = umem;
    this.ifIndex = ifIndex;
    this.queue = queue;
    this.mode = mode;
    this.retryNanos = retryNanos;
  }

  /** Binds or throws. */
  void bind() {
    // Later sockets say SHARED_UMEM only and inherit the rest. EBADF: that partner's device is
    // gone.
    for (XdpSocket partner : umem.partners(mode)) {
      int result = bindPatiently(XdpOption.XDP_SHARED_UMEM, partner.fd());
      if (result != -Errno.EBADF) {
        check(result);
        return;
      }
    }
    register();
    check(bindPatiently(mode.bindFlag | XdpOption.XDP_USE_NEED_WAKEUP, 0));
  }

  private void check(int result) {
    NativeException.check(
        result,
        "bind AF_XDP socket to interface %d queue %d in %s mode".formatted(ifIndex, queue, mode),
        switch (-result) {
          case Errno.EBUSY -> "another process has this queue: end it or take another queue";
          case Errno.EOPNOTSUPP -> "the device has no such mode: use COPY";
          case Errno.ENODEV -> "no such interface in this network namespace";
          case Errno.ENETDOWN -> "set the interface up first";
          default -> "the queue must exist (ethtool -l) and the device must allow XDP";
        });
  }

  private void register() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reg = arena.allocate(XdpOption.UMEM_REG_BYTES, Long.BYTES);
      reg.set(JAVA_LONG, 0, umem.address());
      reg.set(JAVA_LONG, 8, umem.bytes());
      reg.set(JAVA_INT, 16, umem.depot().frameBytes());
      reg.set(JAVA_INT, 24, XdpOption.XDP_UMEM_TX_METADATA_LEN);
      reg.set(JAVA_INT, 28, Umem.TX_METADATA);
      NativeException.check(
          Libc.setsockopt(
              fd,
              XdpOption.SOL_XDP,
              XdpOption.XDP_UMEM_REG,
              reg.address(),
              XdpOption.UMEM_REG_BYTES),
          "register %d bytes for AF_XDP".formatted(umem.bytes()),
          "needs Linux 6.11, and CAP_IPC_LOCK or ulimit -l above that size");
    }
  }

  private int bindPatiently(int flags, int sharedFd) {
    long start = System.nanoTime();
    int result = bindOnce(flags, sharedFd);
    while (result == -Errno.EBUSY && System.nanoTime() - start < retryNanos) {
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return result;
      }
      result = bindOnce(flags, sharedFd);
    }
    return result;
  }

  private int bindOnce(int flags, int sharedFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(XdpOption.SOCKADDR_BYTES, Integer.BYTES);
      address.set(JAVA_SHORT, 0, (short) Libc.AF_XDP);
      address.set(JAVA_SHORT, 2, (short) flags);
      address.set(JAVA_INT, 4, ifIndex);
      address.set(JAVA_INT, 8, queue);
      address.set(JAVA_INT, 12, sharedFd);
      return Libc.bind(fd, address.address(), XdpOption.SOCKADDR_BYTES);
    }
  }
}
