package io.gatun.service;

import io.gatun.flow.AddressWords;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * What masqueraded flows come from: one address per family, and the ports to choose from where the
 * client's own is taken. Set by the control thread, read by all workers once a vector.
 */
public final class SourceAddresses {
  /** Above the kernel's ephemeral range. */
  public static final int FIRST_PORT = 61_000;

  public static final int LAST_PORT = 65_535;

  /** One consistent set. */
  record Sources(
      boolean ipv4, boolean ipv6, long low4, long high6, long low6, int firstPort, int ports) {}

  private volatile Sources current =
      new Sources(false, false, 0, 0, 0, FIRST_PORT, LAST_PORT - FIRST_PORT + 1);

  /** Null for a family that cannot be masqueraded: such flows are dropped, SNAT_PORTS_EXHAUSTED. */
  public void set(@Nullable InetAddress ipv4, @Nullable InetAddress ipv6) {
    Sources s = current;
    current =
        new Sources(
            ipv4 != null,
            ipv6 != null,
            ipv4 == null ? 0 : AddressWords.low(ipv4),
            ipv6 == null ? 0 : AddressWords.high(ipv6),
            ipv6 == null ? 0 : AddressWords.low(ipv6),
            s.firstPort,
            s.ports);
  }

  /** Both ends included. */
  public void ports(int first, int last) {
    if (first < 1 || last > 65_535 || first > last) {
      throw new IllegalArgumentException(
          "snatPorts is %d-%d, expected two ports in ascending order".formatted(first, last));
    }
    Sources s = current;
    current = new Sources(s.ipv4, s.ipv6, s.low4, s.high6, s.low6, first, last - first + 1);
  }

  Sources current() {
    return current;
  }
}
