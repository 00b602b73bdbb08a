package io.gatun.port.xdp;

import io.gatun.ffm.AddressBytes;
import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.bpf.Bpf;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.port.NodeTraffic;
import io.gatun.port.PortSet;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * What of an uplink's frames is the node's own: those to its addresses, less the claimed ports. One
 * for all uplinks; the stubs read it, one thread writes it.
 *
 * <pre>
 *   own4, own6   BPF hashes: address as on the wire → 1
 *   claims       one value of 3 × 8 KiB, mapped here: a bit a port, for TCP, UDP and SCTP
 * </pre>
 *
 * <p>All three are pinned, so what a successor finds holds until it says otherwise.
 */
public final class OwnTraffic implements NodeTraffic, AutoCloseable {
  static final String ADDRESSES4 = "own4";
  static final String ADDRESSES6 = "own6";
  static final String CLAIMS = "claims";

  /** Addresses of a family: more than any node has, IPVS' dummy interface aside. */
  private static final int ADDRESSES = 4096;

  private final int addresses4;
  private final int addresses6;
  private final int claims;
  private final boolean inherited;
  private final NativeArea ports;
  private final NativeArea key;
  private final Set<InetAddress> known = new HashSet<>();

  private OwnTraffic(int addresses4, int addresses6, int claims, boolean inherited) {
    this.addresses4 = addresses4;
    this.addresses6 = addresses6;
    this.claims = claims;
    this.inherited = inherited;
    ports = Bpf.mapArray("claimed ports", claims, PortSet.BYTES, 1);
    key = NativeArea.map("address key", 64);
    recall(addresses4, 4);
    recall(addresses6, 16);
  }

  /** The node's: the pinned one, or a new one without addresses and claims. */
  public static OwnTraffic open(Pins pins) {
    Path root = pins.root();
    int claims = pinned(root.resolve(CLAIMS));
    boolean inherited = claims >= 0;
    if (!inherited) {
      claims =
          Bpf.createMap(
              Bpf.MAP_TYPE_ARRAY, 4, PortSet.BYTES, 1, Bpf.BPF_F_MMAPABLE, "gatun_claims");
      Pins.pin(claims, root.resolve(CLAIMS), "the claimed ports");
    }
    int four = addresses(root.resolve(ADDRESSES4), 4, "gatun_own4");
    int six = addresses(root.resolve(ADDRESSES6), 16, "gatun_own6");
    return new OwnTraffic(four, six, claims, inherited);
  }

  private static int addresses(Path path, int keyBytes, String name) {
    int fd = pinned(path);
    if (fd < 0) {
      fd = Bpf.createMap(Bpf.MAP_TYPE_HASH, keyBytes, 4, ADDRESSES, Bpf.BPF_F_NO_PREALLOC, name);
      Pins.pin(fd, path, "the node's addresses");
    }
    return fd;
  }

  private static int pinned(Path path) {
    int fd = Bpf.get(path.toString());
    if (fd < 0 && fd != -Errno.ENOENT) {
      throw new NativeException("open " + path, fd, "needs CAP_BPF");
    }
    return fd;
  }

  /** What a predecessor left in a map. */
  private void recall(int map, int bytes) {
    long at = 0;
    while (Bpf.nextKey(map, at, key.address()) == 0) {
      byte[] address = new byte[bytes];
      Memory.copyOut(key.address(), address, 0, bytes);
      known.add(AddressBytes.of(address));
      at = key.address();
    }
  }

  /** Claims first: no node port is the kernel's for a moment. */
  @Override
  public void own(Set<InetAddress> addresses, PortSet claims) {
    claims(claims);
    addresses(addresses);
  }

  /**
   * The node's addresses are {@code now}, and no others; returns how many came or went. Those that
   * are new are known before those that went are forgotten.
   */
  public int addresses(Collection<InetAddress> now) {
    int changes = 0;
    for (InetAddress address : now) {
      if (known.add(address)) {
        int map = put(address);
        Memory.putInt(key.address() + 32, 1);
        NativeException.check(
            Bpf.update(map, key.address(), key.address() + 32, Bpf.BPF_ANY),
            "tell the stub of " + address.getHostAddress(),
            "a node has at most " + ADDRESSES + " addresses of a family");
        changes++;
      }
    }
    Set<InetAddress> gone = new HashSet<>(known);
    gone.removeAll(now instanceof Set<InetAddress> set ? set : new HashSet<>(now));
    for (InetAddress address : gone) {
      Bpf.delete(put(address), key.address());
      known.remove(address);
      changes++;
    }
    return changes;
  }

  private int put(InetAddress address) {
    byte[] bytes = address.getAddress();
    Memory.copyIn(bytes, 0, key.address(), bytes.length);
    return bytes.length == 4 ? addresses4 : addresses6;
  }

  /** Claims are {@code now}, and no others. What stays claimed is so throughout. */
  public void claims(PortSet now) {
    for (int i = 0; i < PortSet.BYTES; i++) {
      Memory.putByte(ports.address() + i, now.bits(i));
    }
  }

  /** Whether packets to {@code port} of the node are ours. */
  public boolean isClaimed(int protocol, int port) {
    int base = PortSet.base(protocol);
    return base >= 0
        && (Memory.getByte(ports.address() + base + (port >>> 3)) >>> (port & 7) & 1) != 0;
  }

  int addresses4Fd() {
    return addresses4;
  }

  int addresses6Fd() {
    return addresses6;
  }

  int claimsFd() {
    return claims;
  }

  /** True when a predecessor's was found. */
  boolean inherited() {
    return inherited;
  }

  /** Lets go of the memory; what is pinned stays. */
  @Override
  public void close() {
    ports.close();
    key.close();
    Libc.close(claims);
    Libc.close(addresses4);
    Libc.close(addresses6);
  }
}
