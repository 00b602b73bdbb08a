package io.gatun.tunnel;

import java.util.List;

/** This node's VTEPs in flat arrays: there are one or two. Immutable. */
final class Vteps {
  static final int NONE = -1;
  static final Vteps EMPTY = new Vteps(List.of());

  private final int count;
  private final boolean[] six;
  private final long[] high;
  private final long[] low;
  private final int[] port;
  private final int[] vni;
  private final long[] mac;

  Vteps(List<Vtep> vteps) {
    count = vteps.size();
    six = new boolean[count];
    high = new long[count];
    low = new long[count];
    port = new int[count];
    vni = new int[count];
    mac = new long[count];
    for (int k = 0; k < count; k++) {
      Vtep vtep = vteps.get(k);
      six[k] = Words.isIpv6(vtep.address());
      high[k] = Words.high(vtep.address());
      low[k] = Words.low(vtep.address());
      port[k] = vtep.port();
      vni[k] = vtep.vni();
      mac[k] = vtep.mac();
    }
  }

  boolean isEmpty() {
    return count == 0;
  }

  /** The first VTEP with an IPv4 address, {@link #NONE} when there is none. */
  int firstIpv4() {
    for (int k = 0; k < count; k++) {
      if (!six[k]) {
        return k;
      }
    }
    return NONE;
  }

  boolean hasPort(int wanted) {
    for (int k = 0; k < count; k++) {
      if (port[k] == wanted) {
        return true;
      }
    }
    return false;
  }

  /** Whether packets to {@code wantedPort} at the IP header's destination end here. */
  boolean hasEnd(long l3, boolean ipv6, int wantedPort) {
    return find(l3, ipv6, wantedPort, 0, true) != NONE;
  }

  /** The VTEP of a network at the IP header's destination, {@link #NONE} when there is none. */
  int find(long l3, boolean ipv6, int wantedPort, int wantedVni) {
    return find(l3, ipv6, wantedPort, wantedVni, false);
  }

  private int find(long l3, boolean ipv6, int wantedPort, int wantedVni, boolean any) {
    long wantedHigh = Words.destinationHigh(l3, ipv6);
    long wantedLow = Words.destinationLow(l3, ipv6);
    for (int k = 0; k < count; k++) {
      if (low[k] == wantedLow
          && high[k] == wantedHigh
          && six[k] == ipv6
          && port[k] == wantedPort
          && (any || vni[k] == wantedVni)) {
        return k;
      }
    }
    return NONE;
  }

  int port(int k) {
    return port[k];
  }

  int vni(int k) {
    return vni[k];
  }

  /** Address of an IPv4 VTEP. */
  int ipv4(int k) {
    return (int) low[k];
  }

  long mac(int k) {
    return mac[k];
  }
}
