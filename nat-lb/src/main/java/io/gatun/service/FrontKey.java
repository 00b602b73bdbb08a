package io.gatun.service;

import java.net.InetAddress;

/**
 * What a client sends to, and so the name of a front. Immutable.
 *
 * @param address the destination address
 * @param protocol the IANA number: 6 TCP, 17 UDP, 132 SCTP
 * @param port the destination port, 1 to 65535
 */
public record FrontKey(InetAddress address, int protocol, int port) {}
