package io.gatun.agent.health;

import io.gatun.control.document.Addresses;
import io.gatun.control.service.LocalEndpoints;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A listener for each {@code healthCheckNodePort}, at the addresses that answer node ports. Looks
 * ten times a second which there should be, on a thread of its own.
 */
public final class HealthCheckPorts implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("gatun.health");
  private static final long LOOK_MILLIS = 100;

  /** A port that somebody else has is tried again after so many looks. */
  private static final int RETRY_LOOKS = 50;

  private final LocalEndpoints endpoints;
  private final ProxyHealth health;
  private final Map<InetSocketAddress, HttpEndpoint> open = new HashMap<>();
  private final Map<InetSocketAddress, Integer> refused = new HashMap<>();
  private final Map<Integer, LocalEndpoints.Check> checks = new ConcurrentHashMap<>();
  private List<LocalEndpoints.Check> seen = List.of();
  private List<InetAddress> addresses = List.of();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("health check ports").daemon(true).factory());

  public HealthCheckPorts(LocalEndpoints endpoints, ProxyHealth health) {
    this.endpoints = endpoints;
    this.health = health;
  }

  /** Looks from now on. */
  public HealthCheckPorts start() {
    var _ = timer.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    return this;
  }

  @SuppressWarnings("ReferenceEquality") // a change is another list
  private void look() {
    List<LocalEndpoints.Check> now = endpoints.checks();
    if (now == seen && now.isEmpty()) {
      return;
    }
    List<InetAddress> where = endpoints.addresses();
    if (now == seen && where.equals(addresses) && refused.isEmpty()) {
      return;
    }
    seen = now;
    addresses = where;
    Set<InetSocketAddress> wanted = new HashSet<>();
    for (LocalEndpoints.Check check : now) {
      checks.put(check.port(), check);
      where.forEach(address -> wanted.add(new InetSocketAddress(address, check.port())));
    }
    Iterator<Map.Entry<InetSocketAddress, HttpEndpoint>> listeners = open.entrySet().iterator();
    while (listeners.hasNext()) {
      Map.Entry<InetSocketAddress, HttpEndpoint> listener = listeners.next();
      if (!wanted.contains(listener.getKey())) {
        listener.getValue().close();
        listeners.remove();
      }
    }
    refused.keySet().retainAll(wanted);
    wanted.removeAll(open.keySet());
    wanted.forEach(this::open);
  }

  private void open(InetSocketAddress at) {
    int looks = refused.getOrDefault(at, 0);
    if (looks > 0) {
      refused.put(at, looks - 1);
      return;
    }
    try {
      open.put(
          at,
          new HttpEndpoint(
              at,
              HealthPaths.service(health, () -> Objects.requireNonNull(checks.get(at.getPort())))));
      refused.remove(at);
    } catch (IOException e) {
      if (refused.put(at, RETRY_LOOKS) == null) {
        LOG.log(
            Level.WARNING,
            "health check node port {0}: {1}; tried again",
            Addresses.text(at),
            e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
    try {
      timer.awaitTermination(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    open.values().forEach(HttpEndpoint::close);
  }
}
