package io.gatun.flow;

/**
 * A flow about to be inserted: filled by the stage that decides on it, read by {@link
 * FlowTable#insert}. Reused, owned by one worker. IPv4 addresses stand in the low halves as
 * unsigned 32 bits, the high halves 0.
 */
public final class NewFlow {
  public boolean ipv6;
  public int protocol;

  /** As the client's packet arrives. */
  public long sourceHigh;

  public long sourceLow;
  public long destinationHigh;
  public long destinationLow;
  public int ports;
  public int hash;

  /** As it leaves: source equal to the above unless masqueraded, destination the endpoint. */
  public long newSourceHigh;

  public long newSourceLow;
  public long newDestinationHigh;
  public long newDestinationLow;
  public int newPorts;

  /** Number of the Service, for counting and cleaning up. */
  public int service;

  /** Address of a 64-bit counter: one more while the flow is there; 0 for none. */
  public long load;

  /** The table's own: room was made for it, which the next insertion may use. */
  boolean roomMade;

  /** Set by the insertion: false when an equal flow was there already. */
  public boolean inserted;

  long key() {
    return FlowLayout.key(ports, ipv6 ? FlowLayout.IPV6 : FlowLayout.IPV4, protocol);
  }

  /** The reply's: from the endpoint to whom it believes to be its client. */
  long replyKey() {
    return FlowLayout.key(
        FlowLayout.turned(newPorts), ipv6 ? FlowLayout.IPV6 : FlowLayout.IPV4, protocol);
  }

  int replyHash() {
    return ipv6
        ? FlowHash.ofKey(
            replyKey(), newDestinationHigh, newDestinationLow, newSourceHigh, newSourceLow)
        : FlowHash.ofKey(replyKey(), newDestinationLow << 32 | newSourceLow);
  }

  /** Of the packets as they arrive, the same on every node: what an endpoint is chosen by. */
  public int agreedHash() {
    return ipv6
        ? AgreedHash.ofKey(key(), sourceHigh, sourceLow, destinationHigh, destinationLow)
        : AgreedHash.ofKey(key(), sourceLow << 32 | destinationLow);
  }

  /** Of the packets as they leave. */
  public int newHash() {
    long key = FlowLayout.key(newPorts, ipv6 ? FlowLayout.IPV6 : FlowLayout.IPV4, protocol);
    return ipv6
        ? FlowHash.ofKey(key, newSourceHigh, newSourceLow, newDestinationHigh, newDestinationLow)
        : FlowHash.ofKey(key, newSourceLow << 32 | newDestinationLow);
  }
}
