package io.gatun.ffm.netlink;

import io.gatun.ffm.Errno;
import io.gatun.ffm.NativeException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
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
  public static final int RULES = 0x80 | 0x40000;
  public static final int IPV4_SETTINGS = 1 << 23;
  public static final int NEXT_HOPS = 1 << 31;

  /** Forwarding databases come with {@link #NEIGHBOURS}. */
  public static final int EVERYTHING =
      LINKS
          | NEIGHBOURS
          | IPV4_ADDRESSES
          | IPV4_ROUTES
          | IPV6_ADDRESSES
          | IPV6_ROUTES
          | RULES
          | IPV4_SETTINGS
          | NEXT_HOPS;

  /**
   * The object as it is now or, if {@code removed}, as it was last.
   *
   * @param replaces it takes the place of the one with the same key (NLM_F_REPLACE)
   * @param appended it stands behind those with the same key (NLM_F_APPEND)
   */
  public record Change(boolean removed, boolean replaces, boolean appended, KernelObject object) {}

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
   * to drop some (ENOBUFS) or sent what cannot be read: what is known may be wrong, dump again.
   */
  public boolean read(Consumer<Change> changes) {
    return read(Integer.MAX_VALUE, changes);
  }

  /** The same for about {@code most} datagrams, so that a burst does not keep the caller. */
  public boolean read(int most, Consumer<Change> changes) {
    boolean complete = true;
    for (int i = 0; i < most; i++) {
      try {
        ByteBuffer datagram = socket.waiting();
        if (datagram == null) {
          return complete;
        }
        complete &= parse(datagram, changes);
      } catch (UncheckedIOException tooLong) {
        complete = false;
      } catch (NativeException e) {
        if (e.errno() != Errno.ENOBUFS) {
          throw e;
        }
        complete = false;
      }
    }
    return complete;
  }

  /**
   * Hands over the changes in one datagram, in host order from 0 to its limit. False when something
   * in it was malformed and left out; the rest is handed over.
   */
  public static boolean parse(ByteBuffer datagram, Consumer<Change> changes) {
    boolean whole = true;
    List<Message> messages = new ArrayList<>();
    try {
      Message.parse(datagram, messages);
    } catch (UncheckedIOException malformed) {
      whole = false;
    }
    for (Message message : messages) {
      KernelObject object = null;
      try {
        object = message.object();
      } catch (UncheckedIOException malformed) {
        whole = false;
      }
      if (object != null) {
        boolean added = !message.removal();
        boolean replaces = added && (message.flags() & Message.F_REPLACE) != 0;
        boolean appended = added && (message.flags() & Message.F_APPEND) != 0;
        changes.accept(new Change(!added, replaces, appended, object));
      }
    }
    return whole;
  }

  @Override
  public void close() {
    socket.close();
  }
}
