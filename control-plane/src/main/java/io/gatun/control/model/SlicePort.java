package io.gatun.control.model;

/**
 * One port of an EndpointSlice, belonging to the Service port of the same name and protocol.
 * Immutable.
 *
 * @param name empty when it has none
 * @param protocol the IANA number
 */
public record SlicePort(String name, int protocol, int port) {}
