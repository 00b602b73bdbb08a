package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.kernel.KernelTables.Link;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What routes reach by this node's pod ports, or by the bridges that these belong to; for the
 * control thread. Looked at twice a second at most: all routes are.
 */
final class PodPrefixes {
  private static final long PERIOD = TimeUnit.MILLISECONDS.toNanos(500);

  private final KernelMirror mirror;
  private final Supplier<List<Interfaces.Taken>> interfaces;
  private final Consumer<List<String>> listener;
  private List<Prefix> prefixes = List.of();
  private long looked = System.nanoTime() - PERIOD;
  private long seen = -1;

  /** {@code listener} is told of every change. */
  PodPrefixes(
      KernelMirror mirror,
      Supplier<List<Interfaces.Taken>> interfaces,
      Consumer<List<String>> listener) {
    this.listener = listener;
    this.mirror = mirror;
    this.interfaces = interfaces;
  }

  /** As last looked at; the same list while nothing changed. */
  List<Prefix> prefixes() {
    long now = System.nanoTime();
    if (now - looked >= PERIOD && mirror.version() != seen) {
      looked = now;
      seen = mirror.version();
      List<Prefix> found =
          mirror.direct(devices()).stream()
              .filter(prefix -> !isOfALink(prefix))
              .sorted((a, b) -> a.toString().compareTo(b.toString()))
              .toList();
      if (!found.equals(prefixes)) {
        prefixes = found;
        listener.accept(found.stream().map(Prefix::toString).toList());
      }
    }
    return prefixes;
  }

  private Set<String> devices() {
    Set<String> ports = new HashSet<>();
    interfaces.get().stream()
        .filter(taken -> taken.role() == Role.POD)
        .forEach(taken -> ports.add(taken.port().name()));
    Set<Integer> masters = new HashSet<>();
    for (Link link : mirror.links()) {
      if (link.master() != 0 && ports.contains(link.name())) {
        masters.add(link.master());
      }
    }
    Set<String> devices = new HashSet<>(ports);
    mirror.links().stream()
        .filter(link -> masters.contains(link.ifIndex()))
        .forEach(link -> devices.add(link.name()));
    return devices;
  }

  private static boolean isOfALink(Prefix prefix) {
    return prefix.address().isLinkLocalAddress() || prefix.address().isMulticastAddress();
  }
}
