package io.gatun.port.xdp;

/**
 * What an interface is to the node: decides what the stub leaves to the kernel, and least ring
 * sizes.
 */
public enum XdpRole {
  /** The host's end of a pod's pair: every unicast IP packet is ours. */
  POD(512),
  /** A way out of the node: ours is what is addressed to the interface's own MAC. */
  UPLINK(2048),
  /** Our end of the pair that leads to the node's own stack: every unicast IP packet is ours. */
  HOST(1024);

  /** Entries of each ring; a power of two. */
  private final int ringSize;

  XdpRole(int ringSize) {
    this.ringSize = ringSize;
  }

  /** Entries of each of a port's four rings, at least: what its frames are counted by. */
  public int ringSize() {
    return ringSize;
  }
}
