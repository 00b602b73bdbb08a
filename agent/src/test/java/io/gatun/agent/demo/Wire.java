package io.gatun.agent.demo;

import io.gatun.lab.Node;
import java.io.IOException;

/** A veth from a node to a namespace that has it, as {@code eth0}, for its only way out. */
final class Wire {
  private Wire() {}

  /**
   * The node is the first host of each network, the peer the second.
   *
   * @param device the node's end
   * @param networks beginnings of addresses: {@code 192.0.2} is a /24, {@code fd00:2} a /64
   */
  static void tie(Node node, String device, Node peer, String... networks) throws IOException {
    String oneQueue = " numrxqueues 1 numtxqueues 1";
    node.ip(
        "link add %s%s type veth peer name eth0%s netns %s"
            .formatted(device, oneQueue, oneQueue, peer.namespace()));
    for (String network : networks) {
      node.ip("address add " + host(network, 1) + length(network) + " dev " + device);
      peer.ip("address add " + host(network, 2) + length(network) + " dev eth0");
    }
    node.ip("link set " + device + " up");
    peer.ip("link set eth0 up");
    for (String network : networks) {
      peer.ip("route add default via " + host(network, 1));
    }
  }

  private static String host(String network, int number) {
    return network + (isIpv6(network) ? "::" : ".") + number;
  }

  private static String length(String network) {
    return isIpv6(network) ? "/64" : "/24";
  }

  private static boolean isIpv6(String network) {
    return network.contains(":");
  }
}
