package io.gatun.port.xdp;

/**
 * An interface of the calling thread's network namespace that is to become a port. Immutable.
 *
 * @param number the port's, unique on the node
 * @param mac the interface's own address, 48 bits, its first octet the highest
 * @param ringSize entries of each of its four rings; a power of two
 */
public record XdpInterface(int number, String name, long mac, XdpRole role, int ringSize) {
  /** With the rings that its role has at least. */
  public XdpInterface(int number, String name, long mac, XdpRole role) {
    this(number, name, mac, role, role.ringSize());
  }
}
