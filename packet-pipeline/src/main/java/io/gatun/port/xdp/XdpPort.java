package io.gatun.port.xdp;

import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.port.InterfacePort;
import io.gatun.port.Outage;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.xdp.RxRing;
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
 * Stubs stubs = new Stubs(pins, Lease.open(pins), OwnTraffic.open(pins));
 * XdpInterface wanted = new XdpInterface(1, "cali1", mac, XdpRole.POD);
 * XdpPort port = stubs.attach(wanted).open(umem, pool);
 * worker.add(port);
 * …
 * port.release();   // a successor takes over, frames are held until then
 * port.detach();    // or: the interface is the kernel's again
 * }</pre>
 */
public final class XdpPort implements InterfacePort {
  /** Where a segment starts in its frame: as a received packet does. */
  private static final int HEADROOM = 256;

  private final AttachedInterface attached;
  private final Attachment attachment;
  private final int number;
  private final XdpSocket socket;
  private final FramePool pool;
  private final Segmenter segmenter = new Segmenter();

  /** Frames that the fill ring lacks. */
  private int missing;

  private int queued;
  private final AtomicLong segmentsLost = new AtomicLong(); // rare; read by others
  private final Outage outage = new Outage();
  private boolean closed;

  /** See {@link AttachedInterface}. */
  XdpPort(AttachedInterface attached, XdpSocket socket, FramePool pool, int missing) {
    this.attached = attached;
    this.attachment = attached.attachment();
    this.number = attached.wanted().number();
    this.socket = socket;
    this.pool = pool;
    this.missing = missing;
  }

  @Override
  public int number() {
    return number;
  }

  @Override
  public String name() {
    return attached.wanted().name();
  }

  @Override
  public int ifIndex() {
    return attachment.ifIndex();
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
        segmentsLost.getAndIncrement(); // sent in part: the stream's sender sees a loss, slows down
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
    attachment.unfeed(AttachedInterface.QUEUE);
    socket.close();
    attachment.close();
  }

  /** Undoes everything: the interface is the kernel's again, as it was before. */
  @Override
  public void detach() {
    release();
    attached.detach();
  }

  /** {@link #release}. */
  @Override
  public void close() {
    release();
  }
}
