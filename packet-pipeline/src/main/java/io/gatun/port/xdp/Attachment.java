package io.gatun.port.xdp;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.bpf.Bpf;
import io.gatun.ffm.bpf.BpfAssembler;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The stub on one interface, and the map of its sockets: found pinned, or made and pinned. For the
 * control side. Closing lets go of the descriptors only.
 */
final class Attachment implements AutoCloseable {
  static final String LINK = "link";
  static final String STUB = "stub";
  static final String SOCKETS = "xsks";
  static final List<String> PINNED =
      List.of(LINK, STUB, SOCKETS, BridgedMacs.BRIDGED, BridgedMacs.MACS);

  /** More queues than a NIC of today has. */
  private static final int QUEUES = 256;

  private final int ifIndex;
  private final int socketsFd;
  private final int linkFd;
  private final @Nullable BridgedMacs bridged;
  private final boolean takenOver;

  private Attachment(
      int ifIndex, int socketsFd, int linkFd, @Nullable BridgedMacs bridged, boolean takenOver) {
    this.ifIndex = ifIndex;
    this.socketsFd = socketsFd;
    this.linkFd = linkFd;
    this.bridged = bridged;
    this.takenOver = takenOver;
  }

  static Attachment open(Stubs stubs, XdpInterface wanted) {
    Lease lease = stubs.lease();
    OwnTraffic own = stubs.own();
    String ifName = wanted.name();
    int ifIndex = Libc.requireIfIndex(ifName);
    Path directory = stubs.pins().directory(ifName);
    int sockets = Bpf.get(directory.resolve(SOCKETS).toString());
    boolean sameMaps = sockets >= 0 && lease.inherited() && own.inherited();
    if (sockets < 0) {
      sockets =
          Bpf.createMap(Bpf.MAP_TYPE_XSKMAP, Integer.BYTES, Integer.BYTES, QUEUES, 0, "gatun_xsks");
      Pins.pin(sockets, directory.resolve(SOCKETS), "the socket map");
    }
    int program = -1;
    int link = -1;
    BridgedMacs bridged = null;
    try {
      if (wanted.role() == XdpRole.POD) {
        bridged = BridgedMacs.open(directory);
        sameMaps &= bridged.inherited();
      }
      BpfAssembler stub =
          Stub.assemble(wanted.role(), wanted.mac(), lease.mapFd(), sockets, own, bridged);
      program = Bpf.loadXdp(stub, "gatun_stub", 0);
      int pinned = pinnedLink(directory, ifIndex);
      link = pinned < 0 ? attach(ifName, ifIndex, program) : pinned;
      if (pinned < 0) {
        Pins.pin(link, directory.resolve(LINK), "the link");
        repin(directory, program);
      } else if (!sameMaps || !sameProgram(directory, program)) {
        NativeException.check(
            Bpf.updateLink(link, program),
            "replace the stub on " + ifName,
            "detach it: gatun stop");
        repin(directory, program);
      }
      return new Attachment(ifIndex, sockets, link, bridged, pinned >= 0);
    } catch (RuntimeException e) {
      Libc.close(sockets);
      if (link >= 0) {
        Libc.close(link);
      }
      if (bridged != null) {
        bridged.close();
      }
      throw e;
    } finally {
      if (program >= 0) {
        Libc.close(program);
      }
    }
  }

  /** The link found pinned, −1 when there is none or the interface it was on has gone. */
  private static int pinnedLink(Path directory, int ifIndex) {
    Path path = directory.resolve(LINK);
    int link = Bpf.get(path.toString());
    if (link < 0) {
      return -1;
    }
    if (Bpf.linkIfIndex(link) == ifIndex) {
      return link;
    }
    Libc.close(link);
    Pins.remove(path);
    return -1;
  }

  private static int attach(String ifName, int ifIndex, int program) {
    int link = Bpf.createXdpLink(program, ifIndex, 0);
    if (link < 0) {
      throw new NativeException("attach XDP to " + ifName, link, remedy(-link, ifName));
    }
    return link;
  }

  private static String remedy(int errno, String ifName) {
    return switch (errno) {
      case Errno.EBUSY, Errno.EEXIST ->
          "another program is attached there: see `ip link show %s`, `bpftool net`"
              .formatted(ifName);
      case Errno.ENOSPC ->
          "it has fewer receive queues than its peer has transmit queues: ethtool -L";
      case Errno.ERANGE -> "its MTU is too large for XDP: at most 3506 on veth";
      default -> "needs CAP_NET_ADMIN and CAP_BPF";
    };
  }

  private static boolean sameProgram(Path directory, int program) {
    int pinned = Bpf.get(directory.resolve(STUB).toString());
    if (pinned < 0) {
      return false;
    }
    boolean same = Bpf.tag(pinned).equals(Bpf.tag(program));
    Libc.close(pinned);
    return same;
  }

  private static void repin(Path directory, int program) {
    Path path = directory.resolve(STUB);
    Pins.remove(path);
    Pins.pin(program, path, "the stub");
  }

  int ifIndex() {
    return ifIndex;
  }

  /** Whether a predecessor's attachment was found. */
  boolean takenOver() {
    return takenOver;
  }

  /** From now on frames of {@code queue} go to the socket {@code fd}. */
  void feed(int queue, int fd) {
    NativeException.check(
        Bpf.updateInt(socketsFd, queue, fd), "put the socket into the XSKMAP", "is it bound?");
  }

  /**
   * From now on frames of {@code queue} are held (dropped), or the kernel's when the lease is out.
   */
  void unfeed(int queue) {
    Bpf.deleteInt(socketsFd, queue); // the kernel may have removed a dead socket before us
  }

  /** What of a bridge's port is ours; null when it is none, or never can be. */
  void switching(@Nullable Collection<Long> macs) {
    BridgedMacs ofPort = bridged;
    if (ofPort != null && macs != null) {
      ofPort.switching(macs);
    } else if (ofPort != null) {
      ofPort.route();
    }
  }

  @Override
  public void close() {
    BridgedMacs ofPort = bridged;
    if (ofPort != null) {
      ofPort.close();
    }
    Libc.close(linkFd);
    Libc.close(socketsFd);
  }
}
