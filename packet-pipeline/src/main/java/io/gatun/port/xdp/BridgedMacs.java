package io.gatun.port.xdp;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.bpf.Bpf;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * Which frames of a pod's port are ours when it is a bridge's: those to a MAC address that we
 * switch to; all others are the bridge's. The stub reads it, one thread writes it.
 *
 * <pre>
 *   bridged   one int: 0, all unicast frames are ours; 1, only those to
 *   macs      a BPF hash: address as on the wire and two zeros → 1
 * </pre>
 *
 * <p>Both are pinned with the interface, so what a successor finds holds until it says otherwise.
 */
final class BridgedMacs implements AutoCloseable {
  static final String BRIDGED = "bridged";
  static final String MACS = "macs";

  /** As many as a bridge of Linux has ports; what is beyond stays the bridge's. */
  private static final int MOST = 1024;

  private final int bridged;
  private final int macs;
  private final boolean inherited;
  private final Set<Long> known = new HashSet<>();

  private BridgedMacs(int bridged, int macs, boolean inherited) {
    this.bridged = bridged;
    this.macs = macs;
    this.inherited = inherited;
    known.addAll(Bpf.longKeys(macs));
  }

  /** The pinned ones in the interface's directory, or new ones of a port that is no bridge's. */
  static BridgedMacs open(Path directory) {
    int bridged = Bpf.get(directory.resolve(BRIDGED).toString());
    int macs = Bpf.get(directory.resolve(MACS).toString());
    boolean inherited = bridged >= 0 && macs >= 0;
    if (bridged < 0) {
      bridged = Bpf.createMap(Bpf.MAP_TYPE_ARRAY, 4, 4, 1, 0, "gatun_bridged");
      Pins.pin(bridged, directory.resolve(BRIDGED), "whether it is a bridge's port");
    }
    if (macs < 0) {
      macs = Bpf.createMap(Bpf.MAP_TYPE_HASH, 8, 4, MOST, Bpf.BPF_F_NO_PREALLOC, "gatun_macs");
      Pins.pin(macs, directory.resolve(MACS), "the addresses that are switched");
    }
    return new BridgedMacs(bridged, macs, inherited);
  }

  /** Whether a predecessor's were found. */
  boolean inherited() {
    return inherited;
  }

  int bridgedFd() {
    return bridged;
  }

  int macsFd() {
    return macs;
  }

  /** The interface is no bridge's port: all its unicast frames are ours. */
  void route() {
    bridged(0);
    keep(Set.of());
  }

  /**
   * Ours are frames to these, 48 bits with the first octet highest; all others are the bridge's.
   */
  void switching(Collection<Long> now) {
    Set<Long> wanted = new HashSet<>();
    now.forEach(mac -> wanted.add(Long.reverseBytes(mac << 16)));
    for (long key : wanted) {
      if (known.size() < MOST && known.add(key)) {
        NativeException.check(
            Bpf.updateLong(macs, key, 1), "tell the stub of an address", "is there memory left?");
      }
    }
    bridged(1);
    keep(wanted);
  }

  private void bridged(int value) {
    NativeException.check(
        Bpf.updateInt(bridged, 0, value), "tell the stub of the bridge", "needs CAP_BPF");
  }

  private void keep(Set<Long> wanted) {
    for (long key : Set.copyOf(known)) {
      if (!wanted.contains(key)) {
        Bpf.deleteLong(macs, key); // it was there: nobody else deletes
        known.remove(key);
      }
    }
  }

  @Override
  public void close() {
    Libc.close(bridged);
    Libc.close(macs);
  }
}
