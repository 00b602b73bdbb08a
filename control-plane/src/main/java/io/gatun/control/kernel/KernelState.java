package io.gatun.control.kernel;

import io.gatun.control.document.Prefix;
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
import io.gatun.control.kernel.KernelTables.Way;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's tables as they are after every change seen so far; for one thread.
 *
 * <p>Changes may repeat what a dump has told already: they come in order, so the last word on each
 * key is right. A dump that was taken while changes went on ({@link #watch}, then {@link #equal})
 * says nothing about the keys that they touched.
 */
final class KernelState {
  /** Told after each change; {@code before} and {@code after} null for what was not there. */
  interface Observer {
    void link(@Nullable Link before, @Nullable Link after);

    void addresses();

    void routes(Prefix prefix);

    void nextHop(int id);

    void neighbour(@Nullable Neighbour before, @Nullable Neighbour after);

    void forwarding(Forwarding entry);

    void bridgePort(BridgePort port);

    void rule(Rule rule, boolean removed);

    void settings(Settings settings);
  }

  /** The kernel's order: the local table first, then the lower metric. */
  private static final Comparator<Route> PREFERENCE =
      Comparator.comparing(Route::localTable).reversed().thenComparingLong(Route::metric);

  private final Observer observer;
  private final Map<Object, Entry> entries = new LinkedHashMap<>();
  private final Map<Integer, Link> links = new LinkedHashMap<>();
  private final Map<Integer, NextHop> nextHops = new HashMap<>();
  private final Map<Prefix, List<Route>> routes = new HashMap<>();
  private final Set<Object> touched = new HashSet<>();
  private boolean watching;

  KernelState(Observer observer) {
    this.observer = observer;
  }

  @Nullable Link link(int ifIndex) {
    return links.get(ifIndex);
  }

  Collection<Link> links() {
    return links.values();
  }

  @Nullable NextHop nextHop(int id) {
    return nextHops.get(id);
  }

  /** Routes to exactly this prefix, the preferred first. */
  List<Route> routes(Prefix prefix) {
    return routes.getOrDefault(prefix, List.of());
  }

  /** All entries of a kind but routes, in the order in which they came. */
  <T extends Entry> List<T> all(Class<T> kind) {
    return entries.values().stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  @Nullable Entry get(Object key) {
    return entries.get(key);
  }

  /** Every prefix that has a route. */
  Set<Prefix> prefixes() {
    return routes.keySet();
  }

  /** Number of routes. */
  int routeCount() {
    return routes.values().stream().mapToInt(List::size).sum();
  }

  void apply(KernelChange change) {
    Entry entry = change.entry();
    if (watching) {
      touched.add(entry.key());
    }
    if (entry instanceof Route route) {
      List<Route> now =
          change.removed() ? without(route) : with(route, change.replaces(), change.appended());
      set(route.to(), now);
    } else {
      set(entry, change.removed());
    }
  }

  /** From now on remembers what changes: the next {@link #equal} leaves it alone. */
  void watch() {
    touched.clear();
    watching = true;
  }

  /** Makes everything as the dump says; returns how many keys differed. */
  int equal(KernelTables dump) {
    watching = false;
    int differences = 0;
    Set<Object> there = new HashSet<>();
    for (List<? extends Entry> table :
        List.of(
            dump.links(),
            dump.addresses(),
            dump.nextHops(),
            dump.neighbours(),
            dump.forwarding(),
            dump.bridgePorts(),
            dump.rules(),
            dump.settings())) {
      for (Entry entry : table) {
        there.add(entry.key());
        if (!touched.contains(entry.key()) && !entry.equals(entries.get(entry.key()))) {
          set(entry, false);
          differences++;
        }
      }
    }
    for (Entry entry : List.copyOf(entries.values())) {
      if (!there.contains(entry.key()) && !touched.contains(entry.key())) {
        set(entry, true);
        differences++;
      }
    }
    differences += equalRoutes(dump.routes());
    touched.clear();
    return differences;
  }

  private int equalRoutes(List<Route> dump) {
    Map<Prefix, List<Route>> wanted = new HashMap<>();
    for (Route route : dump) {
      if (!touched.contains(route.key())) {
        insert(wanted.computeIfAbsent(route.to(), _ -> new ArrayList<>()), route, true);
      }
    }
    for (Map.Entry<Prefix, List<Route>> known : routes.entrySet()) {
      for (Route route : known.getValue()) {
        if (touched.contains(route.key())) {
          insert(wanted.computeIfAbsent(known.getKey(), _ -> new ArrayList<>()), route, true);
        }
      }
    }
    int differences = 0;
    for (Map.Entry<Prefix, List<Route>> route : wanted.entrySet()) {
      differences += set(route.getKey(), route.getValue()) ? 1 : 0;
    }
    for (Prefix prefix : List.copyOf(routes.keySet())) {
      if (!wanted.containsKey(prefix)) {
        set(prefix, List.of());
        differences++;
      }
    }
    return differences;
  }

  private boolean set(Prefix prefix, List<Route> now) {
    List<Route> before = routes(prefix);
    if (before.equals(now)) {
      return false;
    }
    if (now.isEmpty()) {
      routes.remove(prefix);
    } else {
      routes.put(prefix, List.copyOf(now));
    }
    observer.routes(prefix);
    return true;
  }

  private void set(Entry entry, boolean removed) {
    Entry before = removed ? entries.remove(entry.key()) : entries.put(entry.key(), entry);
    Entry after = removed ? null : entry;
    if (removed ? before == null : entry.equals(before)) {
      return;
    }
    switch (entry) {
      case Link link -> {
        if (removed) {
          links.remove(link.ifIndex());
        } else {
          links.put(link.ifIndex(), link);
        }
        observer.link((Link) before, (Link) after);
      }
      case NextHop hop -> {
        if (removed) {
          nextHops.remove(hop.id());
        } else {
          nextHops.put(hop.id(), hop);
        }
        observer.nextHop(hop.id());
      }
      case Address _ -> observer.addresses();
      case Neighbour _ -> observer.neighbour((Neighbour) before, (Neighbour) after);
      case Forwarding forwarding -> observer.forwarding(forwarding);
      case BridgePort port -> observer.bridgePort(port);
      case Rule rule -> observer.rule(rule, removed);
      case Settings settings -> observer.settings(settings);
      case Route route ->
          throw new IllegalArgumentException("a route is no single entry: " + route);
    }
  }

  private List<Route> with(Route route, boolean replaces, boolean appended) {
    List<Route> now = new ArrayList<>(routes(route.to()));
    boolean alone = true;
    for (int i = 0; i < now.size(); i++) {
      Route other = now.get(i);
      if (other.key().equals(route.key()) && other.mergesWith(route)) {
        // The kernel tells of such a route as a whole, after each addition.
        now.set(i, route);
        return now;
      }
      alone &= !other.key().equals(route.key());
    }
    if (replaces && !alone) {
      now.remove(route); // where it was told already
      int first = first(now, route);
      if (first == now.size() || !now.get(first).key().equals(route.key())) {
        now.add(first, route);
      } else {
        now.set(first, route);
      }
      return now;
    }
    if (!now.contains(route)) {
      insert(now, route, appended);
    }
    return now;
  }

  private List<Route> without(Route route) {
    List<Route> now = new ArrayList<>(routes(route.to()));
    if (now.remove(route)) {
      return now;
    }
    for (int i = 0; i < now.size(); i++) {
      Route other = now.get(i);
      if (other.key().equals(route.key())) {
        // Of an IPv6 route with several ways the kernel removes one at a time.
        List<Way> left = new ArrayList<>(other.ways());
        if (other.mergesWith(route) && left.removeAll(route.ways()) && !left.isEmpty()) {
          now.set(
              i,
              new Route(
                  other.to(),
                  other.type(),
                  List.copyOf(left),
                  other.metric(),
                  false,
                  0,
                  other.source()));
        } else {
          now.remove(i);
        }
        return now;
      }
    }
    return now;
  }

  /** Among those of equal preference at the front, or behind them. */
  private static void insert(List<Route> routes, Route route, boolean last) {
    int at = first(routes, route);
    while (last && at < routes.size() && PREFERENCE.compare(routes.get(at), route) == 0) {
      at++;
    }
    routes.add(at, route);
  }

  private static int first(List<Route> routes, Route route) {
    int at = 0;
    while (at < routes.size() && PREFERENCE.compare(routes.get(at), route) < 0) {
      at++;
    }
    return at;
  }
}
