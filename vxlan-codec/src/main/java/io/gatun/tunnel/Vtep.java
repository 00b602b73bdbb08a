package io.gatun.tunnel;

import java.net.InetAddress;

/**
 * Where tunnels to this node end. Immutable.
 *
 * @param address the node's own, destination of the outer packets
 * @param port UDP destination port
 * @param mac of the device, 48 bits: inner frames to it are ours, others the kernel's
 */
public record Vtep(InetAddress address, int port, int vni, long mac) {}
