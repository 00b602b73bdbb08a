package io.gatun.ring.xdp;

/** How a device and a UMEM exchange frames; the kernel forces one mode on all sockets of a UMEM. */
public enum XdpMode {
  /** The kernel copies between its own buffers and the frames: every device, all of veth. */
  COPY(2),
  /** The device reads and writes the frames itself; needs support by its driver. */
  ZERO_COPY(4);

  /** XDP_COPY or XDP_ZEROCOPY of if_xdp.h. */
  final int bindFlag;

  XdpMode(int bindFlag) {
    this.bindFlag = bindFlag;
  }
}
