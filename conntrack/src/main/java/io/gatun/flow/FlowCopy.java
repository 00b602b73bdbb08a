package io.gatun.flow;

import java.net.InetAddress;

/**
 * One flow as it was a moment ago, for people and tables. Immutable.
 *
 * @param protocol the IANA number
 * @param client where the flow came from, {@code clientPort} its port (or ICMP identifier)
 * @param front what it was sent to
 * @param endpoint where it goes
 * @param source what the endpoint takes for its client: the client itself unless masqueraded
 * @param service the Service's number
 * @param idleSeconds since its last packet
 * @param ageSeconds since its first packet
 */
public record FlowCopy(
    int protocol,
    InetAddress client,
    int clientPort,
    InetAddress front,
    int frontPort,
    InetAddress endpoint,
    int endpointPort,
    InetAddress source,
    int sourcePort,
    int service,
    FlowState state,
    int idleSeconds,
    int ageSeconds) {

  static FlowCopy of(FlowView flow, int now) {
    boolean six = flow.ipv6();
    return new FlowCopy(
        flow.protocol(),
        AddressWords.address(six, flow.clientHigh(), flow.clientLow()),
        flow.clientPort(),
        AddressWords.address(six, flow.frontHigh(), flow.frontLow()),
        flow.frontPort(),
        AddressWords.address(six, flow.endpointHigh(), flow.endpointLow()),
        flow.endpointPort(),
        AddressWords.address(six, flow.sourceHigh(), flow.sourceLow()),
        flow.sourcePort(),
        flow.service(),
        flow.state(),
        Ticks.toSeconds(now - flow.lastSeen()),
        Ticks.toSeconds(now - flow.created()));
  }
}
