package io.gatun.agent.daemon;

import io.gatun.port.NodeTraffic;
import io.gatun.port.PortSet;
import io.gatun.port.packet.NftLease;
import io.gatun.port.packet.UplinkFrames;
import io.gatun.port.xdp.Lease;
import io.gatun.port.xdp.OwnTraffic;
import io.gatun.port.xdp.Pins;
import io.gatun.port.xdp.Stubs;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Until when frames are ours, by every driver's own means: one answer for all. A means is opened
 * with the first port that needs it, by one thread; afterwards safe for many.
 */
final class Leases {
  private final Path bpf;
  private volatile @Nullable Pins pins;
  private volatile @Nullable Lease xdp;
  private volatile @Nullable OwnTraffic own;
  private volatile @Nullable NftLease packet;
  private volatile @Nullable UplinkFrames uplinks;

  /** {@code bpf} is where the pins of XDP ports go. */
  Leases(Path bpf) {
    this.bpf = bpf;
  }

  /** What the stubs of XDP ports share. */
  Stubs stubs() {
    return new Stubs(pins(), xdp(), own());
  }

  private Pins pins() {
    Pins mounted = pins;
    if (mounted == null) {
      mounted = Pins.mount(bpf);
      pins = mounted;
    }
    return mounted;
  }

  private Lease xdp() {
    Lease lease = xdp;
    if (lease == null) {
      lease = Lease.open(pins());
      xdp = lease;
    }
    return lease;
  }

  private OwnTraffic own() {
    OwnTraffic traffic = own;
    if (traffic == null) {
      traffic = OwnTraffic.open(pins());
      own = traffic;
    }
    return traffic;
  }

  NftLease packet() {
    NftLease lease = packet;
    if (lease == null) {
      lease = NftLease.open();
      packet = lease;
    }
    return lease;
  }

  /** What a predecessor was granted last; by XDP it is read where it stands. */
  void inherit(long until) {
    NftLease ofPacket = packet;
    if (ofPacket != null) {
      ofPacket.inherit(until);
    }
  }

  UplinkFrames uplinks() {
    UplinkFrames frames = uplinks;
    if (frames == null) {
      frames = new UplinkFrames(packet());
      uplinks = frames;
    }
    return frames;
  }

  /** Tells every driver that was opened what uplinks leave to the kernel. */
  void own(Set<InetAddress> addresses, PortSet claims) {
    for (NodeTraffic told : new @Nullable NodeTraffic[] {own, uplinks}) {
      if (told != null) {
        told.own(addresses, claims);
      }
    }
  }

  /** Before a packet port takes {@code ifName}: a stub that an earlier process left there goes. */
  void unpin(String ifName) {
    if (Files.isDirectory(bpf.resolve(ifName))) {
      pins().detach(ifName);
    }
  }

  /**
   * What comes by bridged packet ports is ours only when it is for one of these MAC addresses.
   *
   * @param macs by the name of what is switched together
   * @param members interfaces, and what they belong to; other interfaces are no bridge's
   * @return false when nothing was changed
   */
  boolean switching(Map<String, Collection<Long>> macs, Map<String, String> members) {
    NftLease lease = packet;
    return lease == null ? members.isEmpty() : lease.switching(macs, members);
  }

  /** Frames are ours until {@code until}, in nanoseconds of CLOCK_MONOTONIC. */
  void renew(long until) {
    Lease ofXdp = xdp;
    if (ofXdp != null) {
      ofXdp.renew(until);
    }
    NftLease ofPacket = packet;
    if (ofPacket != null) {
      ofPacket.renew(until);
    }
  }

  /** When the first of them runs out. */
  long until() {
    Lease ofXdp = xdp;
    NftLease ofPacket = packet;
    long first = ofXdp == null ? Long.MAX_VALUE : ofXdp.until();
    return ofPacket == null ? first : Math.min(first, ofPacket.until());
  }

  /** From this moment all frames go to the kernel. */
  void expire() {
    Lease ofXdp = xdp;
    if (ofXdp != null) {
      ofXdp.expire();
    }
    NftLease ofPacket = packet;
    if (ofPacket != null) {
      ofPacket.expire();
    }
  }

  /**
   * Of the interfaces on which a predecessor's XDP programs are found, all but {@code names} are
   * the kernel's again: nobody would take their frames.
   */
  void only(Collection<String> names) {
    Pins mounted = pins;
    if (mounted != null) {
      mounted.interfaces().stream().filter(name -> !names.contains(name)).forEach(mounted::detach);
    }
  }

  /** Undoes what the ports' own undoing leaves. */
  void remove() {
    Lease ofXdp = xdp;
    if (ofXdp != null) {
      ofXdp.close();
    }
    OwnTraffic traffic = own;
    if (traffic != null) {
      traffic.close();
    }
    Pins mounted = pins;
    if (mounted != null) {
      mounted.remove();
    }
    NftLease ofPacket = packet;
    if (ofPacket != null) {
      ofPacket.remove();
      ofPacket.close();
    }
  }
}
