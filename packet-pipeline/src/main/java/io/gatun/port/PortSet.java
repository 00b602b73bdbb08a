package io.gatun.port;

import io.gatun.packet.IpProtocol;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Ports of TCP, UDP and SCTP, a bit each. For one thread. */
public final class PortSet {
  private static final int PORTS = 65_536;

  /** Bytes of one protocol's bit map. */
  public static final int PROTOCOL_BYTES = PORTS / 8;

  /** The three maps, one behind the other. */
  public static final int BYTES = 3 * PROTOCOL_BYTES;

  private final byte[] bits = new byte[BYTES];

  /**
   * Adds ports {@code first} to {@code last}, both included.
   *
   * @param protocol the IANA number: 6 TCP, 17 UDP, 132 SCTP; others have no ports and are ignored
   */
  public PortSet add(int protocol, int first, int last) {
    int base = base(protocol);
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

  /** Where the bits of a protocol begin, −1 for one without ports. */
  public static int base(int protocol) {
    return switch (protocol) {
      case IpProtocol.TCP -> 0;
      case IpProtocol.UDP -> PROTOCOL_BYTES;
      case IpProtocol.SCTP -> 2 * PROTOCOL_BYTES;
      default -> -1;
    };
  }

  /** Byte {@code index} of the three maps. */
  public int bits(int index) {
    return bits[index];
  }

  private boolean has(int base, int port) {
    return (bits[base + (port >>> 3)] >>> (port & 7) & 1) != 0;
  }

  /**
   * A protocol's ports as ranges, {@code {first, last}} in order. Where there are more than {@code
   * most} of them, the smallest gaps are filled, so the ranges may hold ports that are not in here.
   */
  public List<int[]> ranges(int protocol, int most) {
    int base = base(protocol);
    List<int[]> ranges = new ArrayList<>();
    for (int port = 0; port < PORTS; port++) {
      if (has(base, port)) {
        int[] last = ranges.isEmpty() ? null : ranges.getLast();
        if (last != null && last[1] == port - 1) {
          last[1] = port;
        } else {
          ranges.add(new int[] {port, port});
        }
      }
    }
    while (ranges.size() > most) {
      int smallest = 1;
      for (int i = 2; i < ranges.size(); i++) {
        smallest = gap(ranges, i) < gap(ranges, smallest) ? i : smallest;
      }
      ranges.get(smallest - 1)[1] = ranges.remove(smallest)[1];
    }
    return ranges;
  }

  private static int gap(List<int[]> ranges, int i) {
    return ranges.get(i)[0] - ranges.get(i - 1)[1];
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
