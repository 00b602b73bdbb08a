package io.gatun.control.kernel;

import io.gatun.control.document.MacAddress;
import io.gatun.control.kernel.KernelTables.Forwarding;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.fib.Adjacency;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel's devices are to the data path, by the kernel's index: a port, a bridge with
 * ports of ours, or the host's affair. A port that the kernel knows nothing of has a negative
 * index. For one thread.
 */
final class Devices {
  private final KernelState state;
  private final Map<Integer, TakenPort> ports = new HashMap<>();
  private final Map<String, TakenPort> byName = new HashMap<>();

  /** Where a bridge has a MAC address. */
  private record Place(int bridge, MacAddress mac) {}

  private final Map<Place, Integer> places = new HashMap<>();

  Devices(KernelState state) {
    this.state = state;
  }

  void ports(List<TakenPort> taken) {
    ports.clear();
    byName.clear();
    for (TakenPort port : taken) {
      ports.put(device(port), port);
      byName.put(port.name(), port);
    }
  }

  static int device(TakenPort port) {
    return port.ifIndex() != 0 ? port.ifIndex() : -1 - port.number();
  }

  @Nullable TakenPort port(int device) {
    return ports.get(device);
  }

  @Nullable TakenPort port(String name) {
    return byName.get(name);
  }

  /** The bridge that {@code device} is a port of, 0 for none. */
  private int master(int device) {
    Link link = state.link(device);
    return link == null ? 0 : link.master();
  }

  /** The bridges that have to do with {@code device}: it is a port, or addresses are behind it. */
  Set<Integer> bridges(int device) {
    Set<Integer> bridges = new HashSet<>();
    if (master(device) != 0) {
      bridges.add(master(device));
    }
    places.forEach((place, at) -> {
      if (at == device) {
        bridges.add(place.bridge());
      }
    });
    return bridges;
  }

  /** Whether packets for {@code device} are ours to send. */
  boolean isOurs(int device) {
    return ports.containsKey(device) || member(device) != null;
  }

  /** Neither gone nor down; nobody says so of a port that the kernel does not know. */
  boolean isUp(int device) {
    Link link = state.link(device);
    return device < 0 || (link != null && link.up());
  }

  /** False where the link is up but nothing is at its other end. */
  boolean hasCarrier(int device) {
    Link link = state.link(device);
    return device < 0 || (link != null && link.running());
  }

  /** Any port of ours in bridge {@code device}, null when it is no bridge or has none. */
  private @Nullable TakenPort member(int device) {
    Link link = state.link(device);
    if (link == null || !link.kind().equals("bridge")) {
      return null;
    }
    for (TakenPort port : ports.values()) {
      if (master(device(port)) == device) {
        return port;
      }
    }
    return null;
  }

  /** A bridge learnt, moved or forgot an address. */
  void forwarding(Forwarding entry) {
    Place place = new Place(entry.master(), entry.mac());
    // The state has the last word: an entry of another VLAN may still stand.
    Forwarding now =
        state.get(entry.key()) instanceof Forwarding there && !there.local() ? there : null;
    if (now == null) {
      places.remove(place, entry.ifIndex());
    } else {
      places.put(place, now.ifIndex());
    }
  }

  /**
   * What the data path does for a neighbour on {@code device}.
   *
   * @param mac null while nobody knows it
   * @param local for what the kernel has to send itself
   */
  Adjacency adjacency(int device, @Nullable MacAddress mac, Adjacency local) {
    TakenPort port = port(device);
    if (port != null) {
      return adjacency(port, mac(device, port), mac, mtu(device, port));
    }
    TakenPort member = member(device);
    if (member == null) {
      return local;
    }
    MacAddress own = mac(device, member);
    if (mac == null) {
      return adjacency(member, own, null, mtu(device, member));
    }
    Integer place = places.get(new Place(device, mac));
    TakenPort way = place == null ? null : port(place);
    // Behind a port that is not ours, or nobody knows which: the bridge itself finds it.
    return way == null
        ? local
        : adjacency(way, own, mac, Math.min(mtu(device, way), mtu(device(way), way)));
  }

  private static Adjacency adjacency(
      TakenPort port, MacAddress own, @Nullable MacAddress mac, int mtu) {
    return mac == null
        ? new Adjacency.Unresolved(port.number(), own.bits(), mtu)
        : new Adjacency.Forward(port.number(), own.bits(), mac.bits(), mtu);
  }

  /** The kernel's, which may change under us; the port's own where the kernel has none. */
  private MacAddress mac(int device, TakenPort port) {
    Link link = state.link(device);
    return link == null || !link.isEthernet() ? port.mac() : link.mac();
  }

  /** The kernel's word, 0 where there is none. */
  int mtu(int device) {
    Link link = state.link(device);
    return link == null ? 0 : link.mtu();
  }

  private int mtu(int device, TakenPort port) {
    Link link = state.link(device);
    return link == null ? port.mtu() : link.mtu();
  }

  /** The name of port {@code number}, null when it is not ours any more. */
  @Nullable String portName(int number) {
    for (TakenPort port : ports.values()) {
      if (port.number() == number) {
        return port.name();
      }
    }
    return null;
  }

  /** The device's name for people. */
  String name(int device) {
    TakenPort port = port(device);
    Link link = state.link(device);
    return port != null ? port.name() : link != null ? link.name() : "if" + device;
  }

  /** Not asked of the kernel: it knows nothing of the device. */
  static boolean isKernels(int device) {
    return device > 0;
  }

  /** Whether the kernel is to be asked for {@code address} on {@code device}. */
  static boolean isAskable(int device, InetAddress address) {
    return isKernels(device) && !address.isMulticastAddress();
  }
}
