package io.gatun.ring.xdp;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ring.frame.FramePool;

/**
 * An AF_XDP socket on one (device, queue) with its four rings. Opened and closed by the control
 * side; in between everything belongs to one worker thread.
 *
 * <pre>{@code
 * XdpSocket socket = XdpSocket.open(umem, ifIndex, 0, XdpMode.COPY, 256, 256);
 * socket.fill().fill(pool, 256); // first: what comes without a frame posted is lost
 * // put socket.fd() into the XSKMAP at key 0, then in the worker's cycle:
 * int n = socket.rx().peek(64);
 * for (int i = 0; i < n; i++) { … socket.rx().address(i) … socket.rx().length(i) … }
 * socket.rx().release(n);                                 // the frames are ours now
 * socket.tx().put(address, length);                       // theirs
 * socket.tx().submit();
 * int error = socket.wakeTx();                            // one system call a burst
 * socket.reclaim(pool);
 * // take the socket out of the XSKMAP, then:
 * socket.close();
 * }</pre>
 */
public final class XdpSocket implements AutoCloseable {
  /** A queue stays busy for a moment (about 33 ms) after its last socket closed. */
  private static final long BUSY_RETRY_NANOS = 1_000_000_000L;

  /** How long a driver may go on writing into frames after a zero-copy socket closed. */
  private static final long ZERO_COPY_DETACH_MILLIS = 100;

  private final Umem umem;
  private final XdpMode mode;
  private final char number;
  private final int fd;
  private final XdpRings rings;
  private final FillRing fill;
  private final CompletionRing completion;
  private final RxRing rx;
  private final TxRing tx;
  private boolean closed;

  private XdpSocket(Umem umem, XdpMode mode, char number, int fd, XdpRings rings) {
    this.umem = umem;
    this.mode = mode;
    this.number = number;
    this.fd = fd;
    this.rings = rings;
    long base = umem.address();
    Custody custody = umem.custody();
    fill = new FillRing(rings.fill(), base, custody, number);
    completion = new CompletionRing(rings.completion(), base, custody);
    rx = new RxRing(rings.rx(), base, custody);
    tx = new TxRing(rings.tx(), base, custody, number);
  }

  /**
   * Opens and binds a socket in the calling thread's network namespace. Nothing is received before
   * its descriptor is in the XSKMAP and frames are in its fill ring. Tries again for about a second
   * when the queue is still busy with a socket that has just closed.
   *
   * @param queue receive and transmit queue of the device, from 0
   * @param rxSize entries of the RX and FILL rings, a power of two
   * @param txSize entries of the TX and COMPLETION rings, a power of two
   */
  public static XdpSocket open(
      Umem umem, int ifIndex, int queue, XdpMode mode, int rxSize, int txSize) {
    int fd =
        (int)
            NativeException.check(
                Libc.socket(Libc.AF_XDP, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, 0),
                "socket(AF_XDP)",
                "needs CAP_NET_RAW and a kernel with CONFIG_XDP_SOCKETS");
    XdpRings rings = null;
    try {
      rings = XdpRings.make(fd, rxSize, txSize);
      new XdpBind(fd, umem, ifIndex, queue, mode, BUSY_RETRY_NANOS).bind();
      XdpSocket socket = new XdpSocket(umem, mode, umem.number(), fd, rings);
      umem.opened(socket);
      return socket;
    } catch (RuntimeException e) {
      if (rings != null) {
        rings.close();
      }
      Libc.close(fd);
      throw e;
    }
  }

  /**
   * Maps the rings of a socket that another process has open, which may still be using it.
   *
   * @param umem {@linkplain Umem#adopt adopted} from the same process
   * @param fd our own descriptor of the socket; ours to close from now on
   * @param custody the socket's number there: see {@link #custody}
   */
  public static Inherited inherit(
      Umem umem, int fd, XdpMode mode, int rxSize, int txSize, char custody) {
    return new Inherited(umem, fd, mode, custody, XdpRings.of(fd, rxSize, txSize));
  }

  /** A socket whose owner has not let go of it yet; used once. */
  public static final class Inherited implements AutoCloseable {
    private final Umem umem;
    private final int fd;
    private final XdpMode mode;
    private final char custody;
    private final XdpRings rings;

    private Inherited(Umem umem, int fd, XdpMode mode, char custody, XdpRings rings) {
      this.umem = umem;
      this.fd = fd;
      this.mode = mode;
      this.custody = custody;
      this.rings = rings;
    }

    /** Goes on where the former owner, who uses it no more, has stopped. */
    public XdpSocket resume() {
      umem.numberTaken(custody);
      XdpSocket socket = new XdpSocket(umem, mode, custody, fd, rings);
      umem.opened(socket);
      return socket;
    }

    /** Renounces it. */
    @Override
    public void close() {
      rings.close();
      Libc.close(fd);
    }
  }

  /** What the frames that the kernel holds for this socket are marked with. */
  public char custody() {
    return number;
  }

  /** The descriptor: for the XSKMAP and for poll(2). */
  public int fd() {
    return fd;
  }

  public XdpMode mode() {
    return mode;
  }

  public FillRing fill() {
    return fill;
  }

  public CompletionRing completion() {
    return completion;
  }

  public RxRing rx() {
    return rx;
  }

  public TxRing tx() {
    return tx;
  }

  /** Takes sent frames back into {@code pool}; returns how many. */
  public int reclaim(FramePool pool) {
    return completion.reclaim(pool, completion.size());
  }

  /**
   * Makes the kernel send what was submitted, if it wants to be told. Returns 0 or −errno: of a
   * device that is down or gone (ENETDOWN, ENXIO …) the port should be closed; that the kernel has
   * no room at the moment (EAGAIN, EBUSY, ENOBUFS) is no error, the next call goes on from there.
   */
  public int wakeTx() {
    if (!tx.needsWakeup()) {
      return 0;
    }
    // Kernels without XDP_MAX_TX_SKB_BUDGET send 32 a call: go on as long as it gets us further.
    int before = Integer.MAX_VALUE;
    for (int left = tx.untaken(); left != 0 && left < before; left = tx.untaken()) {
      before = left;
      int result = Libc.sendtoWake(fd);
      if (result < 0 && !isTemporary(-result)) {
        return result;
      }
    }
    return 0;
  }

  /** Makes the driver look at the fill ring, if it wants to be told (zero-copy mode only). */
  public int wakeRx() {
    if (!fill.needsWakeup()) {
      return 0;
    }
    int result = Libc.recvfromWake(fd);
    return result < 0 && !isTemporary(-result) ? result : 0;
  }

  private static boolean isTemporary(int errno) {
    return errno == Errno.EAGAIN || errno == Errno.EBUSY || errno == Errno.ENOBUFS;
  }

  /** What the kernel has counted so far. For the control side: allocates; callable until close. */
  public XdpStatistics statistics() {
    return XdpStatistics.of(fd);
  }

  /** Frames that the kernel holds for this socket: for tests and gauges, walks all frames. */
  public int outstanding() {
    return umem.custody().count(number);
  }

  /**
   * Closes the socket and gives the frames that the kernel held to the depot. The worker must have
   * let go of it. First the rings are unmapped, then the descriptor closes: the other way round the
   * queue stays busy for ever.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    umem.closed(this);
    rings.close();
    Libc.close(fd);
    if (mode == XdpMode.ZERO_COPY) {
      awaitDetach();
    }
    umem.custody().release(number, umem.depot());
    umem.numberFree(number);
  }

  /** The driver lets go of a queue's frames in deferred work, and nothing tells when it is done. */
  private static void awaitDetach() {
    try {
      Thread.sleep(ZERO_COPY_DETACH_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
