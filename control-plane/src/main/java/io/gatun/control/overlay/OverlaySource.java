package io.gatun.control.overlay;

import io.gatun.control.document.MacAddress;
import io.gatun.control.kernel.KernelChange;
import io.gatun.control.kernel.KernelSource;
import io.gatun.control.kernel.KernelTables;
import io.gatun.control.kernel.KernelTables.Entry;
import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The kernel's tables, and overlays that it knows nothing of. {@link #set} is for the control
 * thread, everything else as {@link KernelSource} says.
 */
public final class OverlaySource implements KernelSource {
  private final KernelSource kernel;
  private final ArrayDeque<KernelChange> pending = new ArrayDeque<>();
  private volatile Map<Object, Entry> entries = Map.of();

  public OverlaySource(KernelSource kernel) {
    this.kernel = kernel;
  }

  /** The overlays are {@code devices} from now on, and no others; what stays is not touched. */
  public void set(List<OverlayDevice> devices) {
    Map<Object, Entry> now = new LinkedHashMap<>();
    devices.forEach(
        device -> device.entries().forEach(entry -> now.putIfAbsent(key(entry), entry)));
    Map<Object, Entry> before = entries;
    entries = now;
    // What is new first: a pod's way moves from node to node without a moment with none.
    now.forEach((key, entry) -> {
      if (!entry.equals(before.get(key))) {
        pending.add(KernelChange.now(entry));
      }
    });
    before.forEach((key, entry) -> {
      if (!now.containsKey(key)) {
        pending.add(KernelChange.gone(entry));
      }
    });
  }

  /** Routes to one prefix by different devices have one key, but are not the same. */
  private static Object key(Entry entry) {
    return entry instanceof KernelTables.Route route
        ? List.of(route.key(), route.ways().getFirst().ifIndex())
        : entry.key();
  }

  @Override
  public KernelTables read() {
    KernelTables tables = kernel.read();
    Map<Object, Entry> added = entries;
    return added.isEmpty()
        ? tables
        : new KernelTables(
            with(tables.links(), added, KernelTables.Link.class),
            tables.addresses(),
            tables.nextHops(),
            with(tables.routes(), added, KernelTables.Route.class),
            with(tables.neighbours(), added, KernelTables.Neighbour.class),
            with(tables.forwarding(), added, KernelTables.Forwarding.class),
            tables.bridgePorts(),
            tables.rules(),
            tables.settings());
  }

  private static <T extends Entry> List<T> with(
      List<T> kernels, Map<Object, Entry> added, Class<T> kind) {
    List<T> all = new ArrayList<>(kernels);
    added.values().stream().filter(kind::isInstance).map(kind::cast).forEach(all::add);
    return all;
  }

  @Override
  public boolean changes(int most, Consumer<KernelChange> consumer) {
    for (KernelChange own = pending.poll(); own != null; own = pending.poll()) {
      consumer.accept(own);
    }
    return kernel.changes(most, consumer);
  }

  @Override
  public void resolve(int ifIndex, InetAddress address) {
    kernel.resolve(ifIndex, address);
  }

  @Override
  public void learn(int ifIndex, MacAddress mac, int vlan) {
    kernel.learn(ifIndex, mac, vlan);
  }

  @Override
  public int descriptor() {
    return kernel.descriptor();
  }

  @Override
  public void close() {
    kernel.close();
  }
}
