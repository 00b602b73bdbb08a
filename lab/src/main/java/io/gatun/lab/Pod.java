package io.gatun.lab;

import java.net.InetAddress;

/**
 * A pod: a namespace of its own, tied to its node by a veth pair; immutable.
 *
 * @param node the pod's own namespace
 * @param host the namespace of the node it runs on
 * @param device the host end of the pair, in the node; the pod's end is always {@code eth0}
 * @param ipv4 the pod's address, a /32
 * @param ipv6 the pod's address, a /128
 * @param mac of the pod's {@code eth0}
 */
public record Pod(
    Node node, Node host, String device, InetAddress ipv4, InetAddress ipv6, String mac) {

  public String name() {
    return node.name();
  }

  /** The IPv4 address as text. */
  public String address() {
    return ipv4.getHostAddress();
  }

  public String address6() {
    return ipv6.getHostAddress();
  }
}
