package io.gatun.service;

import io.gatun.flow.AddressWords;
import java.net.InetAddress;

/**
 * An endpoint in words, in the order of an {@link EndpointSet}: comparing addresses would copy
 * their bytes each time. Immutable.
 *
 * @param high and {@code low}: its address, as {@link AddressWords} has it
 */
public record EndpointKey(boolean ipv6, long high, long low, int port)
    implements Comparable<EndpointKey> {
  public static EndpointKey of(InetAddress address, int port) {
    return new EndpointKey(
        AddressWords.ipv6(address), AddressWords.high(address), AddressWords.low(address), port);
  }

  @Override
  public int compareTo(EndpointKey other) {
    int order = Boolean.compare(ipv6, other.ipv6);
    order = order != 0 ? order : Long.compareUnsigned(high, other.high);
    order = order != 0 ? order : Long.compareUnsigned(low, other.low);
    return order != 0 ? order : Integer.compare(port, other.port);
  }
}
