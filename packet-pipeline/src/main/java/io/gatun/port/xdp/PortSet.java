package io.gatun.port.xdp;

import java.util.Arrays;

/** Ports of TCP, UDP and SCTP, a bit each. For one thread. */
public final class PortSet {
  private final byte[] bits = new byte[OwnTraffic.CLAIM_BYTES];

  /**
   * Adds ports {@code first} to {@code last}, both included.
   *
   * @param protocol the IANA number: 6 TCP, 17 UDP, 132 SCTP; others have no ports and are ignored
   */
  public PortSet add(int protocol, int first, int last) {
    int base = OwnTraffic.base(protocol);
    if (base >= 0) {
      for (int port = first; port <= last; port++) {
        bits[base + (port >>> 3)] |= (byte) (1 << (port & 7));
      }
    }
    return this;
  }

  public PortSet add(int protocol, int port) {
    return add(protocol, port, port);
  }

  /** Byte {@code index} of the three maps as they stand one behind the other. */
  int bits(int index) {
    return bits[index];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PortSet set && Arrays.equals(bits, set.bits);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bits);
  }
}
