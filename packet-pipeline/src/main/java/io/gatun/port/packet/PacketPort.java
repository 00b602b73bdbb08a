package io.gatun.port.packet;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.packet.MessageBatch;
import io.gatun.ffm.packet.PacketSocket;
import io.gatun.ffm.packet.VirtioNetHeader;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.port.InterfacePort;
import io.gatun.port.Outage;
import io.gatun.ring.frame.FramePool;
import io.gatun.segment.Segmenter;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An interface by AF_PACKET, with whole segments in both directions; opened and closed by the
 * control side while no worker owns it, used by one worker in between.
 *
 * <p>Both directions copy: what was received is in a super-frame of ours, what was sent is the
 * kernel's when {@link #flush} returns, and the frame is free.
 */
public final class PacketPort implements InterfacePort {
  private static final int BATCH = Inbox.BATCH;

  /** Bytes that a burst should not exceed by much: what the second-level cache keeps. */
  private static final int BURST_BYTES = 256 << 10;

  private static final int SMALLEST_BURST = 4;

  /** How often a burst for which the kernel has no room is offered again. */
  private static final int OFFERS = 16;

  private final int number;
  private final String name;
  private final int ifIndex;
  private final PacketSocket socket;
  private final int fd;
  private final Inbox inbox;
  private final FramePool pool;
  private final Share share;
  private final NftLease lease;
  private final MessageBatch outbox;
  private final Segmenter segmenter = new Segmenter();
  private final long[] outgoing = new long[BATCH];
  private int queued;
  private int burst = BATCH;
  private final Outage outage = new Outage();
  private int lapses;

  /**
   * Frames that may still wait from before the lease was granted again: the kernel had them, so
   * they are received and forgotten, a burst a cycle. The socket holds no more than so many,
   * however fast others come.
   */
  private int stale;

  private final AtomicLong lost = new AtomicLong(); // rare; read by others
  private boolean closed;

  private PacketPort(
      int number,
      String name,
      int ifIndex,
      PacketSocket socket,
      Inbox inbox,
      FramePool pool,
      Share share) {
    this.number = number;
    this.name = name;
    this.ifIndex = ifIndex;
    this.socket = socket;
    this.fd = socket.fd();
    this.inbox = inbox;
    this.pool = pool;
    this.share = share;
    this.lease = share.lease();
    this.lapses = lease.lapses(); // else the first frames of every new port would go
    this.outbox = new MessageBatch("outbox " + name, BATCH);
  }

  /**
   * Opens a socket on interface {@code ifName} of the calling thread's network namespace and has
   * the kernel drop its own copies. Frames are ours while the lease lasts.
   *
   * @param number the port's number, unique on the node
   * @param share which of its frames
   * @param inbox of the worker that will own this port
   * @param pool that worker's frames
   */
  public static PacketPort open(
      int number, String ifName, Share share, Inbox inbox, FramePool pool) {
    int ifIndex = Libc.requireIfIndex(ifName);
    PacketSocket socket = PacketSocket.open(ifIndex, share.filter());
    try {
      inbox.watch(socket.fd(), number);
      share.attach(ifName);
      share.follow(ifName, socket);
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
    return new PacketPort(number, ifName, ifIndex, socket, inbox, pool, share);
  }

  /**
   * Goes on with the socket of a process before us, which uses it no more: what it has not read is
   * ours.
   *
   * @param fd our own descriptor of it; ours to close from now on
   */
  public static PacketPort resume(
      int number, String ifName, int fd, Share share, Inbox inbox, FramePool pool) {
    int ifIndex = Libc.ifNameToIndex(ifName);
    PacketSocket socket = PacketSocket.adopt(fd);
    try {
      inbox.watch(fd, number);
      share.follow(ifName, socket);
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
    return new PacketPort(number, ifName, ifIndex, socket, inbox, pool, share);
  }

  @Override
  public int number() {
    return number;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int ifIndex() {
    return ifIndex;
  }

  @Override
  public int rx(PacketVector packets, int limit) {
    if (!inbox.arrived(number)) {
      return 0;
    }
    int asked = Math.min(Math.min(limit, PacketVector.CAPACITY - packets.size), burst);
    int n = inbox.receive(fd, asked);
    if (n <= 0) {
      if (n == -Errno.ENETDOWN) {
        outage.is(Errno.ENETDOWN);
      }
      return 0;
    }
    if (lease.until() - Libc.monotonicNanos() < 0) {
      return 0; // the kernel had them; the frames are received into again
    }
    if (lapses != lease.lapses()) {
      lapses = lease.lapses();
      stale = PacketSocket.MOST_WAITING;
    }
    if (stale > 0) {
      stale = n < asked ? 0 : stale - n; // fewer: nothing is left of what waited
      return 0;
    }
    int bytes = 0;
    for (int k = 0; k < n; k++) {
      int length = inbox.length(k);
      long frame = inbox.take(k);
      long packet = frame + Inbox.HEADROOM;
      int i = packets.size;
      packets.append(frame, packet, Math.max(0, length - VirtioNetHeader.BYTES), number);
      if (length < VirtioNetHeader.BYTES) {
        packets.drop(i, length < 0 ? DropReason.TOO_BIG : DropReason.FRAME_TOO_SHORT);
      } else {
        Offload.read(packet - VirtioNetHeader.BYTES, packets, i);
        bytes += length;
      }
    }
    if (bytes > BURST_BYTES) {
      burst = Math.max(SMALLEST_BURST, burst / 2);
    } else if (n == burst) {
      burst = Math.min(BATCH, burst * 2);
    }
    return n;
  }

  @Override
  public boolean tx(PacketVector packets, int index) {
    if (!outage.isOver()) {
      packets.dropReason[index] = DropReason.PORT_DOWN.code();
      return false;
    }
    if (queued == BATCH) {
      packets.dropReason[index] = DropReason.TX_RING_FULL.code();
      return false;
    }
    if ((packets.flags[index] & PacketVector.TUNNEL) != 0 && packets.segmentSize[index] != 0) {
      return cut(packets, index);
    }
    long header = packets.address[index] - VirtioNetHeader.BYTES;
    Offload.write(header, packets, index);
    put(packets.frame[index], header, packets.length[index]);
    return true;
  }

  /** {@code bytes} of packet, behind {@code header}. */
  private void put(long frame, long header, int bytes) {
    outbox.set(queued, header, bytes + VirtioNetHeader.BYTES);
    outgoing[queued++] = frame;
  }

  /** No offload header says that the kernel is to cut behind a tunnel's headers: done here. */
  private boolean cut(PacketVector packets, int index) {
    Segmenter cutting = segmenter;
    cutting.begin(packets, index);
    if (cutting.bytes() > pool.depot().frameBytes() - Inbox.HEADROOM) {
      packets.dropReason[index] = DropReason.TOO_BIG.code();
      return false;
    }
    while (cutting.more()) {
      if (queued == BATCH) {
        flush();
      }
      long frame = pool.take();
      if (frame == 0) {
        lost.getAndIncrement(); // sent in part: the stream's sender sees a loss and slows down
        break;
      }
      long header = frame + Inbox.HEADROOM - VirtioNetHeader.BYTES;
      VirtioNetHeader.writePlain(header);
      put(frame, header, cutting.next(frame + Inbox.HEADROOM));
    }
    pool.give(packets.frame[index]);
    return true;
  }

  @Override
  public void flush() {
    if (queued != 0) {
      send();
      for (int k = 0; k < queued; k++) {
        pool.give(outgoing[k]);
      }
      queued = 0;
    } else if (outage.errno() != 0 && outage.isOver()) {
      outage.is(0); // a worker sleeps on ports that are up
    }
  }

  private void send() {
    int at = 0;
    int offers = 0;
    outage.is(0);
    while (at < queued) {
      int n = outbox.send(fd, at, queued - at);
      if (n > 0) {
        at += n;
      } else if (n == -Errno.EAGAIN && ++offers < OFFERS) {
        Thread.onSpinWait();
      } else if (n == -Errno.ENETDOWN || n == -Errno.ENXIO || n == -Errno.ENODEV) {
        outage.is(-n);
        lost.addAndGet(queued - at);
        return;
      } else {
        lost.getAndIncrement(); // this one the kernel does not want: too long, or the far end has
        // no room
        at++;
      }
    }
  }

  /** Nothing: {@link #flush} has given the frames back already. */
  @Override
  public int reclaim() {
    return 0;
  }

  @Override
  public int pollDescriptor() {
    return fd;
  }

  @Override
  public boolean carriesSuperFrames() {
    return true;
  }

  /** False after the kernel said that the interface is down (until it is up again) or gone. */
  @Override
  public boolean up() {
    return outage.errno() == 0 && !closed;
  }

  /** Frames that found the socket's buffer full, or that the kernel did not take from us. */
  @Override
  public long kernelDropped() {
    return socket.dropped() + lost.get();
  }

  @Override
  public void release() {
    if (closed) {
      return;
    }
    closed = true;
    share.forget(name);
    socket.close();
    for (int k = 0; k < queued; k++) {
      pool.give(outgoing[k]);
    }
    queued = 0;
    outbox.close();
  }

  @Override
  public void detach() {
    release();
    lease.detach(name);
  }

  /** {@link #release}. */
  @Override
  public void close() {
    release();
  }
}
