package io.gatun.port.packet;

import io.gatun.ffm.packet.FilterProgram;
import io.gatun.ffm.packet.PacketSocket;
import org.jspecify.annotations.Nullable;

/**
 * Which frames of an interface are ours while the lease lasts: said to the socket, by its filter,
 * and to the kernel, by the interface's chain. Immutable.
 */
public final class Share {
  private final NftLease lease;
  private final @Nullable UplinkFrames uplinks;
  private final byte[] mac;

  private Share(NftLease lease, @Nullable UplinkFrames uplinks, byte... mac) {
    this.lease = lease;
    this.uplinks = uplinks;
    this.mac = mac.clone();
  }

  /** All unicast IP: a pod's interface, or our end of the host's pair. */
  public static Share pod(NftLease lease) {
    return new Share(lease, null);
  }

  /** To the interface's own {@code mac}, 6 bytes, and not the node's own: an uplink. */
  public static Share uplink(NftLease lease, UplinkFrames uplinks, byte[] mac) {
    return new Share(lease, uplinks, mac);
  }

  NftLease lease() {
    return lease;
  }

  /** What a new socket takes. */
  FilterProgram filter() {
    return uplinks == null ? FrameFilter.pod() : uplinks.filter(mac);
  }

  /** From now on the kernel drops its copies; in our words, where an earlier process had it so. */
  public void attach(String ifName) {
    lease.attach(ifName, mac);
  }

  /** From now on {@code socket} takes what is ours and no more, whatever becomes of that. */
  void follow(String ifName, PacketSocket socket) {
    if (uplinks != null) {
      uplinks.follow(ifName, mac, socket);
    }
  }

  /** The socket is about to be closed. */
  void forget(String ifName) {
    if (uplinks != null) {
      uplinks.forget(ifName);
    }
  }
}
