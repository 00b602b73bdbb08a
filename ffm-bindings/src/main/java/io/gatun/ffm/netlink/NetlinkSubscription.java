package io.gatun.ffm.netlink;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import java.util.function.Consumer;

/**
 * Tells of changes in the network namespace of the thread that made this. For one thread at a time;
 * poll {@link #fd()} for {@link Libc#POLLIN}, then {@link #read}. Subscribe first and dump after,
 * so that no change is missed between the two.
 */
public final class NetlinkSubscription implements AutoCloseable {
  // RTMGRP_… of linux/rtnetlink.h
  public static final int LINKS = 0x1;
  public static final int NEIGHBOURS = 0x4;
  public static final int IPV4_ADDRESSES = 0x10;
  public static final int IPV4_ROUTES = 0x40;
  public static final int IPV6_ADDRESSES = 0x100;
  public static final int IPV6_ROUTES = 0x400;
  public static final int EVERYTHING =
      LINKS | NEIGHBOURS | IPV4_ADDRESSES | IPV4_ROUTES | IPV6_ADDRESSES | IPV6_ROUTES;

  /** The object as it is now or, if {@code removed}, as it was last. */
  public record Change(boolean removed, KernelObject object) {}

  private final NetlinkSocket socket;

  /** Subscribes to the union of groups. */
  public NetlinkSubscription(int groups) {
    socket = new NetlinkSocket(groups);
  }

  /** The descriptor to poll; stays ours. */
  public int fd() {
    return socket.fd();
  }

  /**
   * Hands over all changes that wait, without waiting for more. Returns false when the kernel had
   * to drop some (ENOBUFS): what is known may be wrong, dump again.
   */
  public boolean read(Consumer<Change> changes) {
    boolean complete = true;
    while (true) {
      try {
        for (Message message : socket.receive(Libc.MSG_DONTWAIT)) {
          KernelObject object = message.object();
          if (object != null) {
            changes.accept(new Change(message.removal(), object));
          }
        }
      } catch (NativeException e) {
        if (e.errno() == Errno.EAGAIN) {
          return complete;
        }
        if (e.errno() != Errno.ENOBUFS) {
          throw e;
        }
        complete = false;
      }
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
