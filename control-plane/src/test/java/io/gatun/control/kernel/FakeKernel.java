package io.gatun.control.kernel;

import io.gatun.control.kernel.KernelTables.Address;
import io.gatun.control.kernel.KernelTables.BridgePort;
import io.gatun.control.kernel.KernelTables.Entry;
import io.gatun.control.kernel.KernelTables.Forwarding;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.kernel.KernelTables.Neighbour;
import io.gatun.control.kernel.KernelTables.NextHop;
import io.gatun.control.kernel.KernelTables.Route;
import io.gatun.control.kernel.KernelTables.Rule;
import io.gatun.control.kernel.KernelTables.Settings;
import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A kernel whose tables a test writes; it tells of changes unless it is told not to. */
final class FakeKernel implements KernelSource {
  private final Map<Object, Entry> entries = new LinkedHashMap<>();
  private final ArrayDeque<KernelChange> pending = new ArrayDeque<>();
  final List<String> asked = new ArrayList<>();
  @Nullable RuntimeException failure;
  boolean silent;
  boolean lost;
  int reads;

  synchronized void set(Entry entry) {
    entries.put(entry.key(), entry);
    tell(KernelChange.now(entry));
  }

  synchronized void remove(Entry entry) {
    if (entries.remove(entry.key()) != null) {
      tell(KernelChange.gone(entry));
    }
  }

  private void tell(KernelChange change) {
    if (!silent) {
      pending.add(change);
    }
  }

  synchronized <T extends Entry> List<T> all(Class<T> kind) {
    return entries.values().stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  @Override
  public synchronized KernelTables read() {
    reads++;
    if (failure != null) {
      throw failure;
    }
    return new KernelTables(
        all(Link.class),
        all(Address.class),
        all(NextHop.class),
        all(Route.class),
        all(Neighbour.class),
        all(Forwarding.class),
        all(BridgePort.class),
        all(Rule.class),
        all(Settings.class));
  }

  @Override
  public synchronized boolean changes(int most, Consumer<KernelChange> consumer) {
    for (int i = 0; i < most && !pending.isEmpty(); i++) {
      consumer.accept(pending.poll());
    }
    boolean complete = !lost;
    lost = false;
    return complete;
  }

  @Override
  public void resolve(int ifIndex, InetAddress address) {
    asked.add(ifIndex + " " + address.getHostAddress());
  }

  @Override
  public void close() {
    entries.clear();
  }
}
