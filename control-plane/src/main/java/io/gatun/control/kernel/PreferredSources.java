package io.gatun.control.kernel;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Address;
import io.gatun.control.kernel.KernelTables.Way;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * From which of its addresses the node itself would send, for every route: what the route says, or
 * what the kernel takes of the device ({@code inet_select_addr}): the first address in whose
 * network the next hop is, else the first. For one thread.
 */
final class PreferredSources {
  private final KernelState state;
  private final Map<Integer, List<Address>> byDevice = new HashMap<>();
  private final Map<Prefix, InetAddress> told = new HashMap<>();
  private @Nullable BiConsumer<Prefix, @Nullable InetAddress> listener;
  private boolean addressesRead;

  PreferredSources(KernelState state) {
    this.state = state;
  }

  /** From now on {@code each} is told of every change; null for what leads nowhere of its own. */
  void onChange(BiConsumer<Prefix, @Nullable InetAddress> each) {
    listener = each;
  }

  boolean isHeard() {
    return listener != null;
  }

  /** They changed: all routes have to be {@linkplain #set set} again. */
  void addresses() {
    addressesRead = false;
  }

  /** The address for what goes by {@code way} to {@code to}; null when its device has none. */
  @Nullable InetAddress of(Prefix to, Way way) {
    InetAddress gateway = way.gateway();
    boolean ipv6 = Addresses.isIpv6(to.address());
    InetAddress next =
        gateway != null && Addresses.isIpv6(gateway) == ipv6 ? gateway : to.address();
    InetAddress first = null;
    for (Address each : addresses(way.ifIndex())) {
      if (Addresses.isIpv6(each.address()) == ipv6) {
        if (new Prefix(each.address(), each.prefixLength()).contains(next)) {
          return each.address();
        }
        first = first == null ? each.address() : first;
      }
    }
    return first;
  }

  private List<Address> addresses(int device) {
    if (!addressesRead) {
      addressesRead = true;
      byDevice.clear();
      for (Address each : state.all(Address.class)) {
        if (!each.address().isLinkLocalAddress() && !each.address().isLoopbackAddress()) {
          byDevice.computeIfAbsent(each.ifIndex(), _ -> new ArrayList<>()).add(each);
        }
      }
    }
    return byDevice.getOrDefault(device, List.of());
  }

  /** What the route to {@code to} says now. */
  void set(Prefix to, @Nullable InetAddress source) {
    InetAddress before = source == null ? told.remove(to) : told.put(to, source);
    BiConsumer<Prefix, @Nullable InetAddress> each = listener;
    if (each != null && !Objects.equals(before, source)) {
      each.accept(to, source);
    }
  }
}
