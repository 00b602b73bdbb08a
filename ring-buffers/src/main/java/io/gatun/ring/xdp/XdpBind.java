package io.gatun.ring.xdp;

import io.gatun.ffm.Errno;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.xdp.Xdp;

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
      int result = bindPatiently(Xdp.XDP_SHARED_UMEM, partner.fd());
      if (result != -Errno.EBADF) {
        check(result);
        return;
      }
    }
    register();
    check(bindPatiently(mode.bindFlag | Xdp.XDP_USE_NEED_WAKEUP, 0));
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
    NativeException.check(
        Xdp.umemRegister(
            fd,
            umem.address(),
            umem.bytes(),
            umem.depot().frameBytes(),
            0,
            Xdp.XDP_UMEM_TX_METADATA_LEN,
            Umem.TX_METADATA),
        "register %d bytes for AF_XDP".formatted(umem.bytes()),
        "needs Linux 6.11, and CAP_IPC_LOCK or ulimit -l above that size");
  }

  private int bindPatiently(int flags, int sharedFd) {
    long start = System.nanoTime();
    int result = Xdp.bindXdp(fd, ifIndex, queue, flags, sharedFd);
    while (result == -Errno.EBUSY && System.nanoTime() - start < retryNanos) {
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return result;
      }
      result = Xdp.bindXdp(fd, ifIndex, queue, flags, sharedFd);
    }
    return result;
  }
}
