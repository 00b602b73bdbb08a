package io.gatun.pipeline;

/**
 * The addresses from which a router reports: an int and two longs in host order, 0 for none.
 * Immutable.
 */
public record OwnAddresses(int ipv4, long ipv6High, long ipv6Low) {
  /** None yet. IPv4 reports then come from 192.0.0.8, IPv6 is not answered. */
  public static final OwnAddresses NONE = new OwnAddresses(0, 0, 0);

  boolean hasIpv6() {
    return (ipv6High | ipv6Low) != 0;
  }
}
