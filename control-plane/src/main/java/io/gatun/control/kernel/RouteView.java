package io.gatun.control.kernel;

import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A route of the data path, for people and tests. Immutable.
 *
 * @param metric of the kernel's route that counts; 0 for a neighbour's and a configured one
 */
public record RouteView(Prefix prefix, Kind kind, long metric, List<Way> ways) {
  /** What becomes of a packet. */
  public enum Kind {
    /** Sent by a port of ours. */
    FORWARD,
    /** For the node itself. */
    LOCAL,
    /** By a device that is not ours: the kernel sends it. */
    KERNEL,
    BLACKHOLE,
    UNREACHABLE,
    PROHIBITED
  }

  /**
   * A way out.
   *
   * @param via null where the destination is on the link
   * @param dev the kernel's device
   * @param port ours, which is another one where {@code dev} is a bridge; null while unknown
   * @param mac of the next hop; null while unknown, and for a whole network
   * @param tunnel that it leads through, null for none
   */
  public record Way(
      @Nullable InetAddress via,
      String dev,
      @Nullable String port,
      @Nullable MacAddress mac,
      int weight,
      @Nullable TunnelView tunnel) {}
}
