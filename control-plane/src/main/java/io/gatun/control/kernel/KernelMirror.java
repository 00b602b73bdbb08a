package io.gatun.control.kernel;

import io.gatun.control.kernel.KernelTables.Neighbour;
import io.gatun.ffm.NativeException;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the data path's routes and adjacencies as the kernel's tables and the configuration want
 * them; for one thread, the only writer of its {@link Fib}.
 *
 * <p>A change that the kernel tells of is there within 20 ms; all tables are read again each second
 * in any case, so that nothing depends on a message that was lost. Next hops without a MAC address
 * are asked for each second, and those that the kernel calls stale each ten: our traffic does not
 * pass the kernel, so it would never confirm them itself.
 */
public final class KernelMirror implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KernelMirror.class);

  /** A burst of changes (a routing daemon starts) is read once, not once each. */
  private static final long AFTER_CHANGE = TimeUnit.MILLISECONDS.toNanos(20);

  /** After an answer that could not be read: soon, and not so often that it fills the log. */
  private static final long AFTER_FAILURE = TimeUnit.MILLISECONDS.toNanos(100);

  private static final long ANYWAY = TimeUnit.SECONDS.toNanos(1);
  private static final long ASK_MISSING = TimeUnit.SECONDS.toNanos(1);
  private static final long ASK_STALE = TimeUnit.SECONDS.toNanos(10);

  private final KernelSource source;
  private final FibWriter writer;
  private final List<StaticRoute> routes;
  private final List<StaticNeighbour> neighbours;
  private final Map<Question, Long> asked = new HashMap<>();
  private List<TakenPort> ports;
  private Set<InetAddress> wanted = Set.of();
  private KernelTables tables = KernelTables.EMPTY;
  private RoutePlan plan;
  private long nextRead = Long.MIN_VALUE;
  private boolean dirty = true;
  private boolean failed;
  private final List<Consumer<List<InetAddress>>> addressListeners = new ArrayList<>();

  private record Question(int ifIndex, InetAddress address) {}

  /**
   * Writes nothing before the first {@link #doWork}.
   *
   * @param local what becomes of packets for this node itself or by interfaces that are not ours
   */
  public KernelMirror(
      KernelSource source,
      Fib fib,
      Adjacency local,
      List<TakenPort> ports,
      List<StaticRoute> routes,
      List<StaticNeighbour> neighbours) {
    this.source = source;
    this.writer = new FibWriter(fib, local);
    this.ports = List.copyOf(ports);
    this.routes = List.copyOf(routes);
    this.neighbours = List.copyOf(neighbours);
    this.plan = new RoutePlan(tables, this.ports, this.routes, this.neighbours);
  }

  /** Ports came or went. */
  public void ports(List<TakenPort> taken) {
    ports = List.copyOf(taken);
    dirty = true;
  }

  /** Addresses that packets will be sent to (endpoints): their neighbours are asked for early. */
  public void wanted(Collection<InetAddress> addresses) {
    wanted = Set.copyOf(addresses);
  }

  /** Every address that the host has, as last read. */
  public List<InetAddress> localAddresses() {
    return tables.addresses().stream().map(KernelTables.Address::address).toList();
  }

  /**
   * Tells {@code listener} of {@link #localAddresses} on the control thread: with the first read,
   * and whenever they change.
   */
  public void onLocalAddresses(Consumer<List<InetAddress>> listener) {
    addressListeners.add(listener);
  }

  /** The tables as last read. */
  public KernelTables tables() {
    return tables;
  }

  /**
   * Reads when it is time to, applies what changed; returns how many routes and adjacencies did.
   * Where the kernel's answer is cut, malformed or an error, what was read last stays, and all is
   * read again.
   */
  public int doWork(long nowNanos) {
    if (failed && nowNanos - nextRead < 0) {
      return 0;
    }
    try {
      int changes = follow(nowNanos);
      failed = false;
      return changes;
    } catch (UncheckedIOException | NativeException e) {
      if (!failed) {
        LOG.warn("the kernel's tables could not be read, what was read last stays", e);
      }
      failed = true;
      nextRead = nowNanos + AFTER_FAILURE;
      return 0;
    }
  }

  private int follow(long nowNanos) {
    boolean first = nextRead == Long.MIN_VALUE;
    if (!first && !dirty && source.changed()) {
      nextRead = Math.min(nextRead, nowNanos + AFTER_CHANGE);
    }
    if (!first && !dirty && nowNanos - nextRead < 0) {
      return 0;
    }
    nextRead = nowNanos + ANYWAY;
    KernelTables now = source.read();
    int changes = 0;
    if (first || dirty || !now.equals(tables)) {
      boolean moved = first || !now.addresses().equals(tables.addresses());
      tables = now;
      if (moved) {
        addressListeners.forEach(listener -> listener.accept(localAddresses()));
      }
      plan = new RoutePlan(now, ports, routes, neighbours);
      changes = writer.apply(plan);
      dirty = false;
      LOG.debug("{} routes, {} changes", plan.routes().size(), changes);
    }
    ask(nowNanos);
    return changes;
  }

  private void ask(long now) {
    Map<Question, Neighbour> known = new HashMap<>();
    for (Neighbour neighbour : tables.neighbours()) {
      known.put(new Question(neighbour.ifIndex(), neighbour.address()), neighbour);
    }
    Set<Question> questions = new LinkedHashSet<>();
    for (Target target : writer.targets()) {
      if (target instanceof Target.Hop hop && plan.isNeededFromKernel(hop)) {
        questions.add(new Question(plan.ifIndex(hop.port()), hop.address()));
      }
    }
    for (InetAddress address : wanted) {
      if (plan.lookup(address) instanceof Target.OnLink(int port)) {
        questions.add(new Question(plan.ifIndex(port), address));
      }
    }
    asked.keySet().retainAll(new HashSet<>(questions));
    for (Question question : questions) {
      Neighbour neighbour = known.get(question);
      boolean missing = neighbour == null || neighbour.mac() == null;
      Long last = asked.get(question);
      long every = missing ? ASK_MISSING : ASK_STALE;
      boolean due = last == null ? missing : now - last >= every;
      if (question.ifIndex() != 0 && due && (neighbour == null || missing || neighbour.stale())) {
        asked.put(question, now);
        source.resolve(question.ifIndex(), question.address());
      } else if (last == null && !missing) {
        asked.put(question, now);
      }
    }
  }

  @Override
  public void close() {
    source.close();
  }
}
