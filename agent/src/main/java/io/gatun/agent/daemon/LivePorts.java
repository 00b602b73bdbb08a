package io.gatun.agent.daemon;

import io.gatun.control.kernel.KernelMirror;
import io.gatun.port.InterfacePort;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.agrona.concurrent.Agent;

/**
 * Takes interfaces when they come and gives them up when they go, without stopping a worker;
 * stepped by the control thread. {@link #ports} may be read by any thread.
 *
 * <p>Opening and closing sockets takes milliseconds and happens on a thread of its own. A port that
 * goes leaves the routes first, then its worker, then the kernel; one that comes is its worker's
 * before routes lead there. Its number is not used again soon.
 */
final class LivePorts implements Agent {
  private static final System.Logger LOG = System.getLogger("gatun.ports");

  private static final long RETRY = TimeUnit.SECONDS.toNanos(2);

  /**
   * An interface that is ours.
   *
   * @param base what the counters of its number said when it came
   */
  record Live(Interfaces.Taken taken, InterfacePort port, PortCounts base) {}

  private final Interfaces interfaces;
  private final Dataplane dataplane;
  private final KernelMirror mirror;
  private final Consumer<List<Interfaces.Taken>> changed;
  private final ExecutorService opener =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("ports").daemon(true).factory());
  private final Map<String, Live> live = new LinkedHashMap<>();
  private final Set<String> coming = new HashSet<>();
  private final Set<Integer> going = new HashSet<>();
  private final Map<String, String> complaints = new HashMap<>();
  private volatile List<Live> ports = List.of();
  private boolean look = true;
  private long lookAgain;
  private int lastNumber;

  /**
   * @param present what is taken already
   * @param changed told of what is taken from then on, on the control thread
   */
  LivePorts(
      Interfaces interfaces,
      Dataplane dataplane,
      KernelMirror mirror,
      List<Interfaces.Taken> present,
      Consumer<List<Interfaces.Taken>> changed) {
    this.interfaces = interfaces;
    this.dataplane = dataplane;
    this.mirror = mirror;
    this.changed = changed;
    for (Interfaces.Taken taken : present) {
      InterfacePort port = dataplane.port(taken.port().number());
      live.put(taken.port().name(), new Live(taken, port, PortCounts.NONE));
      lastNumber = Math.max(lastNumber, taken.port().number());
    }
    ports = List.copyOf(live.values());
    mirror.onLinks(() -> look = true);
  }

  /** What is ours now. */
  List<Live> ports() {
    return ports;
  }

  @Override
  public int doWork() {
    long now = System.nanoTime();
    if (!look && (complaints.isEmpty() || now - lookAgain < 0)) {
      return 0;
    }
    look = false;
    lookAgain = now + RETRY;
    Map<String, Interfaces.Taken> wanted = new LinkedHashMap<>();
    interfaces
        .wanted(mirror.links(), mirror.addresses())
        .forEach(taken -> wanted.put(taken.port().name(), taken));
    complaints.keySet().retainAll(wanted.keySet());
    int done = 0;
    for (Live one : List.copyOf(live.values())) {
      Interfaces.Taken there = wanted.get(one.taken().port().name());
      if (there == null || !there.isStill(one.taken())) {
        give(one);
        done++;
      }
    }
    for (Interfaces.Taken taken : wanted.values()) {
      if (!live.containsKey(taken.port().name()) && coming.add(taken.port().name())) {
        take(taken);
        done++;
      }
    }
    return done;
  }

  private void take(Interfaces.Taken unnumbered) {
    String name = unnumbered.port().name();
    Interfaces.Taken taken = unnumbered.numbered(freeNumber());
    int number = taken.port().number();
    going.add(number); // in use, though not yet live
    long started = System.nanoTime();
    opener.execute(() -> {
      try {
        InterfacePort port = dataplane.take(taken);
        mirror.run(() -> came(taken, port, started));
      } catch (RuntimeException e) {
        mirror.run(() -> failed(name, number, String.valueOf(e.getMessage())));
      }
    });
  }

  private void came(Interfaces.Taken taken, InterfacePort port, long started) {
    String name = taken.port().name();
    coming.remove(name);
    going.remove(taken.port().number());
    complaints.remove(name);
    live.put(
        name, new Live(taken, port, PortCounts.of(dataplane.crew().counters(), port.number())));
    LOG.log(
        Level.INFO,
        "{0} taken as {1}, driver {2}, port {3}, in {4} ms",
        name,
        lower(taken.role()),
        lower(taken.driver()),
        String.valueOf(port.number()),
        (System.nanoTime() - started) / 1_000_000);
    publish();
    look = true; // it may have gone meanwhile
  }

  private void failed(String name, int number, String why) {
    coming.remove(name);
    going.remove(number);
    if (!why.equals(complaints.put(name, why))) {
      LOG.log(Level.WARNING, "{0} cannot be taken, tried again each 2 s: {1}", name, why);
    }
  }

  private void give(Live one) {
    String name = one.taken().port().name();
    int number = one.port().number();
    live.remove(name);
    going.add(number);
    coming.add(name); // not taken anew before the old one is closed
    publish();
    LOG.log(Level.INFO, "{0} is gone or changed: port {1} given up", name, String.valueOf(number));
    opener.execute(() -> {
      try {
        dataplane.give(one.port());
      } catch (RuntimeException e) {
        LOG.log(Level.WARNING, name + ": giving it up", e);
      }
      mirror.run(() -> {
        coming.remove(name);
        going.remove(number);
        look = true;
      });
    });
  }

  private void publish() {
    ports = List.copyOf(live.values());
    List<Interfaces.Taken> taken = ports.stream().map(Live::taken).toList();
    mirror.ports(taken.stream().map(Interfaces.Taken::port).toList());
    changed.accept(taken);
  }

  private int freeNumber() {
    Set<Integer> used = new HashSet<>(going);
    live.values().forEach(one -> used.add(one.port().number()));
    for (int i = 1; i <= Dataplane.HOST_PORT; i++) {
      int number = (lastNumber + i) % Dataplane.HOST_PORT; // the last one, the host's, is not free
      if (!used.contains(number)) {
        lastNumber = number;
        return number;
      }
    }
    throw new IllegalStateException(
        "all %d port numbers are in use".formatted(Dataplane.HOST_PORT));
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String roleName() {
    return "ports";
  }

  /** No port comes or goes any more. */
  @Override
  public void onClose() {
    opener.shutdown();
    try {
      boolean ended = opener.awaitTermination(2, TimeUnit.SECONDS);
      if (!ended) {
        LOG.log(Level.WARNING, "a port is still being opened or closed");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
