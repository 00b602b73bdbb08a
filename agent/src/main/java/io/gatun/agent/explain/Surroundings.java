package io.gatun.agent.explain;

import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/** What an {@link Explainer} asks of the node beyond the data path's tables. */
public interface Surroundings {
  /** Of no port: senders are then told apart by their address alone. */
  int NO_PORT = -2;

  /** The number of the port called {@code name}, {@link #NO_PORT} for none. */
  int port(String name);

  /** The way to {@code address}; null when there is none, or none is known. */
  @Nullable Way way(InetAddress address);

  /**
   * Whether all routes are known here. Where they are not (offline, with the kernel's left out) a
   * missing one is no reason to say that the packet is dropped.
   */
  boolean allRoutesKnown();

  /** Whether the address is known that masqueraded flows come from. */
  default boolean sourceKnown(boolean ipv6) {
    return true;
  }

  /**
   * A way out.
   *
   * @param dev the interface's name
   * @param port its number, {@link #NO_PORT} when it is none of ours
   * @param own the address is the node's own
   * @param tunnel that it leads through, null for none
   */
  record Way(
      String prefix,
      @Nullable String via,
      String dev,
      int port,
      int mtu,
      boolean own,
      Explanation.@Nullable Tunnel tunnel) {

    /** No tunnel. */
    Way(String prefix, @Nullable String via, String dev, int port, int mtu, boolean own) {
      this(prefix, via, dev, port, mtu, own, null);
    }
  }
}
