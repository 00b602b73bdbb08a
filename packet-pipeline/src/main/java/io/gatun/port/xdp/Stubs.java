package io.gatun.port.xdp;

/**
 * What the stubs of all interfaces of a node share. Immutable.
 *
 * @param pins where they outlive the process
 * @param lease until when frames are ours
 * @param own what uplinks leave to the kernel
 */
public record Stubs(Pins pins, Lease lease, OwnTraffic own) {
  /**
   * Attaches the stub to an interface, or takes over a predecessor's. Needs no free queue: a
   * predecessor may still have it.
   */
  public AttachedInterface attach(XdpInterface wanted) {
    return new AttachedInterface(wanted, pins, Attachment.open(this, wanted));
  }
}
