package io.gatun.port;

import java.net.InetAddress;
import java.util.Set;

/**
 * Keeps the node's own traffic away from the uplinks' ports, by whatever means a driver has. Told
 * by one thread.
 */
@FunctionalInterface
public interface NodeTraffic {
  /**
   * From now on the kernel keeps what is addressed to {@code addresses}, unless it is for a port of
   * {@code claims}, a fragment or an ICMP error.
   */
  void own(Set<InetAddress> addresses, PortSet claims);
}
