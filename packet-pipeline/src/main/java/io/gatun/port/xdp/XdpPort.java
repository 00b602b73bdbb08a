package io.gatun.port.xdp;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.port.InterfacePort;
import io.gatun.port.Outage;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.xdp.RxRing;
import io.gatun.ring.xdp.Umem;
import io.gatun.ring.xdp.XdpMode;
import io.gatun.ring.xdp.XdpSocket;
import io.gatun.ring.xdp.XdpStatistics;
import io.gatun.segment.Segmenter;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One queue of a network interface, by AF_XDP; opened and closed by the control side while no
 * worker owns it, used by one worker in between.
 *
 * <pre>{@code
 * Pins pins = Pins.mount(run.resolve("bpf"));
 * Lease lease = Lease.open(pins);
 * OwnTraffic own = OwnTraffic.open(pins);
 * XdpPort port = XdpPort.open(1, "cali1", mac, XdpRole.POD, umem, pool, lease, own, pins);
 * worker.add(port);
 * …
 * port.release();   // a successor takes over, frames are held until then
 * port.detach();    // or: the interface is the kernel's again
 * }</pre>
 */
public final class XdpPort implements InterfacePort {
  private static final int QUEUE = 0;

  /** Where a segment starts in its frame: as a received packet does. */
  private static final int HEADROOM = 256;

  private final int number;
  private final String name;
  private final int ifIndex;
  private final FramePool pool;
  private final Pins pins;
  private final Attachment attachment;
  private final XdpSocket socket;

  private final Segmenter segmenter = new Segmenter();

  /** Frames that the fill ring lacks. */
  private int missing;

  private int queued;
  private final AtomicLong segmentsLost = new AtomicLong(); // rare; read by others
  private final Outage outage = new Outage();
  private boolean closed;

  private XdpPort(
      int number,
      String name,
      int ifIndex,
      FramePool pool,
      Pins pins,
      Attachment attachment,
      XdpSocket socket,
      int missing) {
    this.number = number;
    this.name = name;
    this.ifIndex = ifIndex;
    this.pool = pool;
    this.pins = pins;
    this.attachment = attachment;
    this.socket = socket;
    this.missing = missing;
  }

  /**
   * Attaches the stub to interface {@code ifName} of the calling thread's network namespace, or
   * takes over a predecessor's, and opens a socket on its first queue. Frames are ours once the
   * lease is renewed and the worker has run a cycle.
   *
   * @param number the port's number, unique on the node
   * @param mac the interface's own address, 6 bytes
   * @param pool the frames of the worker that will own this port
   * @param own what an uplink leaves to the kernel
   */
  public static XdpPort open(
      int number,
      String ifName,
      byte[] mac,
      XdpRole role,
      Umem umem,
      FramePool pool,
      Lease lease,
      OwnTraffic own,
      Pins pins) {
    return attach(number, ifName, mac, role, umem, pool, lease, own, pins).open();
  }

  /**
   * The first half of {@link #open}, which needs no free queue: a predecessor may still have it.
   */
  public static Attached attach(
      int number,
      String ifName,
      byte[] mac,
      XdpRole role,
      Umem umem,
      FramePool pool,
      Lease lease,
      OwnTraffic own,
      Pins pins) {
    int ifIndex =
        (int)
            NativeException.check(
                Libc.ifNameToIndex(ifName), "find interface " + ifName, "see `ip link`");
    Attachment attachment = Attachment.open(pins, lease, own, ifName, ifIndex, role, mac);
    return new Attached(number, ifName, ifIndex, role, umem, pool, pins, attachment);
  }

  /** An interface whose stub is in place, without a socket: opened once, or left to the kernel. */
  public static final class Attached {
    private final int number;
    private final String ifName;
    private final int ifIndex;
    private final XdpRole role;
    private final Umem umem;
    private final FramePool pool;
    private final Pins pins;
    private final Attachment attachment;

    private Attached(
        int number,
        String ifName,
        int ifIndex,
        XdpRole role,
        Umem umem,
        FramePool pool,
        Pins pins,
        Attachment attachment) {
      this.number = number;
      this.ifName = ifName;
      this.ifIndex = ifIndex;
      this.role = role;
      this.umem = umem;
      this.pool = pool;
      this.pins = pins;
      this.attachment = attachment;
    }

    public int ifIndex() {
      return ifIndex;
    }

    /** Entries of each ring. */
    public int ringSize() {
      return role.ringSize;
    }

    /**
     * Instead of opening one: goes on with the socket of a process before us, which uses it no
     * more.
     *
     * @param inherited with rings of {@link #ringSize}
     * @param missing what that process' port said: see {@link XdpPort#missing}
     */
    public XdpPort resume(XdpSocket.Inherited inherited, int missing) {
      XdpSocket socket = inherited.resume();
      attachment.feed(QUEUE, socket.fd());
      return new XdpPort(number, ifName, ifIndex, pool, pins, attachment, socket, missing);
    }

    /** The second half: opens the socket, and frames go to it. */
    public XdpPort open() {
      XdpSocket socket = null;
      try {
        socket = XdpSocket.open(umem, ifIndex, QUEUE, XdpMode.COPY, role.ringSize, role.ringSize);
        attachment.feed(QUEUE, socket.fd());
      } catch (RuntimeException e) {
        if (socket != null) {
          socket.close();
        }
        attachment.close();
        if (!attachment.takenOver()) {
          pins.detach(ifName);
        }
        throw e;
      }
      return new XdpPort(number, ifName, ifIndex, pool, pins, attachment, socket, role.ringSize);
    }
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

  /** By which number the frames are marked that the kernel holds for this port. */
  public char custody() {
    return socket.custody();
  }

  /** Entries of each ring. */
  public int ringSize() {
    return socket.rx().size();
  }

  /** Frames that the fill ring lacks: for a successor, when the worker has stopped. */
  public int missing() {
    return missing;
  }

  /** Whether a predecessor's stub was found on the interface. */
  public boolean takenOver() {
    return attachment.takenOver();
  }

  @Override
  public int rx(PacketVector packets, int limit) {
    RxRing rx = socket.rx();
    int n = rx.peek(Math.min(limit, PacketVector.CAPACITY - packets.size));
    if (n == 0) {
      return 0;
    }
    for (int i = 0; i < n; i++) {
      long address = rx.address(i);
      packets.append(pool.frameOf(address), address, rx.length(i), number);
    }
    rx.release(n);
    missing += n;
    return n;
  }

  @Override
  public boolean tx(PacketVector packets, int index) {
    if (!outage.isOver()) {
      packets.dropReason[index] = DropReason.PORT_DOWN.code();
      return false;
    }
    long frame = packets.frame[index];
    if (packets.segmentSize[index] != 0 || !pool.depot().owns(frame)) {
      return cut(packets, index);
    }
    boolean partial = (packets.flags[index] & PacketVector.PARTIAL_CHECKSUM) != 0;
    boolean accepted = put(packets, index, packets.address[index], packets.length[index], partial);
    if (!accepted) {
      packets.dropReason[index] = DropReason.TX_RING_FULL.code();
    }
    return accepted;
  }

  private boolean put(PacketVector packets, int index, long address, int length, boolean partial) {
    boolean accepted =
        partial
            ? socket.tx().putPartial(address, length, packets.l4[index], packets.csumOffset[index])
            : socket.tx().put(address, length);
    if (accepted) {
      queued++;
    }
    return accepted;
  }

  /** Sends a super-frame as the segments that fit our frames; what finds no room is lost. */
  private boolean cut(PacketVector packets, int index) {
    Segmenter cutting = segmenter;
    cutting.begin(packets, index);
    if (cutting.bytes() > pool.depot().frameBytes() - HEADROOM) {
      packets.dropReason[index] = DropReason.TOO_BIG.code();
      return false;
    }
    boolean partial =
        (packets.flags[index] & (PacketVector.PARTIAL_CHECKSUM | PacketVector.TUNNEL))
            == PacketVector.PARTIAL_CHECKSUM;
    while (cutting.more()) {
      long frame = socket.tx().hasRoom() || makeRoom() ? pool.take() : 0;
      if (frame == 0 && cutting.atStart()) {
        packets.dropReason[index] = DropReason.TX_RING_FULL.code();
        return false;
      }
      if (frame == 0) {
        segmentsLost
            .getAndIncrement(); // sent in part: the stream's sender sees a loss and slows down
        break;
      }
      int bytes = cutting.next(frame + HEADROOM);
      put(packets, index, frame + HEADROOM, bytes, partial);
    }
    pool.give(packets.frame[index]);
    return true;
  }

  private boolean makeRoom() {
    flush();
    reclaim();
    return socket.tx().hasRoom();
  }

  @Override
  public void flush() {
    if (queued != 0) {
      queued = 0;
      socket.tx().submit();
    } else if (socket.tx().untaken() == 0) {
      return;
    }
    if (outage.isOver()) {
      outage.is(-socket.wakeTx());
    }
  }

  @Override
  public int reclaim() {
    int sent = socket.reclaim(pool);
    if (missing != 0) {
      missing -= socket.fill().fill(pool, missing);
      socket.wakeRx();
    }
    return sent;
  }

  @Override
  public int pollDescriptor() {
    return socket.fd();
  }

  /** False after the kernel said that the interface is down (until it is up again) or gone. */
  @Override
  public boolean up() {
    return outage.errno() == 0 && !closed;
  }

  /** The errno that took the port down, 0 while it is up. */
  public int error() {
    return outage.errno();
  }

  /**
   * Of a pod's port: which frames are ours. For the control side.
   *
   * @param macs where the interface is a bridge's port, the destinations that are switched, 48 bits
   *     each; the rest is the bridge's. Null where it is none: all unicast frames are ours
   */
  public void switching(@Nullable Collection<Long> macs) {
    if (!closed) {
      attachment.switching(macs);
    }
  }

  @Override
  public String mode() {
    return socket.mode().name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public Map<String, Long> details() {
    XdpStatistics counted = socket.statistics();
    Map<String, Long> details = new LinkedHashMap<>();
    details.put("rxRingFull", counted.rxRingFull());
    details.put("fillRingEmpty", counted.fillRingEmpty());
    details.put("tooLong", counted.rxDropped());
    details.put("txInvalid", counted.txInvalid());
    return details;
  }

  /** What the kernel counted for the socket; for the control side, until the port is closed. */
  public XdpStatistics statistics() {
    return socket.statistics();
  }

  @Override
  public long kernelDropped() {
    return (closed ? 0 : socket.statistics().dropped()) + segmentsLost.get();
  }

  /**
   * Lets go of the interface for a successor: stub and pins stay, frames are held until it comes or
   * the lease runs out.
   */
  @Override
  public void release() {
    if (closed) {
      return;
    }
    closed = true;
    attachment.unfeed(QUEUE);
    socket.close();
    attachment.close();
  }

  /** Undoes everything: the interface is the kernel's again, as it was before. */
  @Override
  public void detach() {
    release();
    pins.detach(name);
  }

  /** {@link #release}. */
  @Override
  public void close() {
    release();
  }
}
