package io.gatun.control.model;

/**
 * One port of a Service. Immutable. Its {@code targetPort} is left out on purpose: the port to send
 * to is the slice's.
 *
 * @param name empty when it has none
 * @param protocol the IANA number
 * @param nodePort 0 for none
 */
public record ServicePort(String name, int protocol, int port, int nodePort) {}
