package io.gatun.port.xdp;

import io.gatun.ring.frame.FramePool;
import io.gatun.ring.xdp.Umem;
import io.gatun.ring.xdp.XdpMode;
import io.gatun.ring.xdp.XdpSocket;

/**
 * An interface whose stub is in place, without a socket: becomes a port once, or is left as it is.
 * For the control side.
 */
public final class AttachedInterface {
  static final int QUEUE = 0;

  private final XdpInterface wanted;
  private final Pins pins;
  private final Attachment attachment;

  AttachedInterface(XdpInterface wanted, Pins pins, Attachment attachment) {
    this.wanted = wanted;
    this.pins = pins;
    this.attachment = attachment;
  }

  XdpInterface wanted() {
    return wanted;
  }

  Attachment attachment() {
    return attachment;
  }

  public int ifIndex() {
    return attachment.ifIndex();
  }

  /** Entries of each ring. */
  public int ringSize() {
    return wanted.ringSize();
  }

  /**
   * Opens a socket on the first queue, and frames go to it. They are ours once the lease is renewed
   * and the worker has run a cycle.
   *
   * @param pool the frames of the worker that will own the port
   */
  public XdpPort open(Umem umem, FramePool pool) {
    XdpSocket socket = null;
    try {
      socket = XdpSocket.open(umem, ifIndex(), QUEUE, XdpMode.COPY, ringSize(), ringSize());
      attachment.feed(QUEUE, socket.fd());
    } catch (RuntimeException e) {
      if (socket != null) {
        socket.close();
      }
      attachment.close();
      if (!attachment.takenOver()) {
        pins.detach(wanted.name());
      }
      throw e;
    }
    return new XdpPort(this, socket, pool, ringSize());
  }

  /**
   * Instead of opening one: goes on with the socket of a process before us, which uses it no more.
   *
   * @param pool the frames of the worker that will own the port
   * @param missing what that process' port said: see {@link XdpPort#missing}
   */
  public XdpPort resume(XdpSocket.Inherited inherited, FramePool pool, int missing) {
    XdpSocket socket = inherited.resume();
    attachment.feed(QUEUE, socket.fd());
    return new XdpPort(this, socket, pool, missing);
  }

  /** The interface is the kernel's again, as it was before. */
  void detach() {
    pins.detach(wanted.name());
  }
}
