package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.flow.AddressWords;
import io.gatun.flow.DirectTuples;
import io.gatun.flow.FlowFile;
import io.gatun.flow.FlowTable;
import io.gatun.packet.IpProtocol;
import io.gatun.ring.qsbr.Qsbr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All fronts of a node: one writer, which also drives {@link Qsbr#reclaim}; many readers without
 * locks. A changed front is a new record, published by one release store; the old one is freed
 * after a grace period. So a change costs what it touches.
 */
public final class ServiceTable implements AutoCloseable {
  /** Bits of an address's value: a front has it. */
  static final long SERVICE = 1;

  static final long CLUSTER_IP = 2;

  /** Not an address of the node itself: echo requests are answered, fragments are ours. */
  static final long VIRTUAL = 4;

  /** One of the node's own addresses. */
  static final long OWN = 8;

  /**
   * Endpoint sets that have it, counted from here up: who talks to it directly must not be taken
   * for a front's client. So a quarter of a million endpoints need no other table.
   */
  static final long ENDPOINT = 1L << 32;

  /** What is no such count. */
  static final long FLAGS = ENDPOINT - 1;

  /** Eight clients each: a quarter of a million sticky clients, 16 MiB when all are there. */
  private static final int AFFINITY_BUCKETS = 1 << 15;

  /** What of the Services outlives a process: which clients belong to which endpoints. */
  public static final FlowFile.Annex ANNEX =
      new FlowFile.Annex(AffinityTable.bytes(AFFINITY_BUCKETS), AffinityTable.LAYOUT);

  /** Nanoseconds that a change which ends flows waits for workers, at most. */
  private static final long A_FEW_CYCLES = 200_000;

  private static final FrontKind[] KINDS = FrontKind.values();

  /** A Service port: its number, where its connections are counted, and how many fronts it has. */
  private static final class Owner {
    final int number;
    final long counter;
    int fronts;

    Owner(int number, long counter) {
      this.number = number;
      this.counter = counter;
    }
  }

  /** An endpoint set's record and how many fronts and policies use it. */
  private static final class Shared {
    final long record;
    int users;

    Shared(long record) {
      this.record = record;
    }
  }

  private record State(FrontSpec spec, long record, Owner owner) {}

  private final FlowTable flows;
  private final Qsbr qsbr;
  private final Blocks blocks = new Blocks();
  private final Map<FrontKey, State> states = new HashMap<>();
  private final Map<String, Owner> owners = new HashMap<>();
  private final Map<EndpointSet, Shared> sets = new HashMap<>();
  private final Map<InetSocketAddress, Long> loads = new HashMap<>();

  /** How many fronts an address has, by their kind's ordinal. */
  private final Map<InetAddress, int[]> kinds = new HashMap<>();

  private final DirectTuples direct = new DirectTuples();
  private final AffinityTable affinities;
  private Set<InetAddress> own = Set.of();
  private int lastNumber;
  private volatile long staleFlows;
  private volatile int fronts;

  private volatile FrontSlots slots = new FrontSlots(1024);
  private volatile Prefixes cidrs = Prefixes.NONE;
  private volatile Clients clients = Clients.UNKNOWN;

  /** {@code qsbr}: the one whose readers are the workers. */
  public ServiceTable(FlowTable flows, Qsbr qsbr) {
    this(flows, qsbr, 0);
  }

  /** With what {@link #ANNEX} was of a process before; 0: nothing, and memory of its own. */
  public ServiceTable(FlowTable flows, Qsbr qsbr, long annex) {
    this.flows = flows;
    this.qsbr = qsbr;
    affinities = new AffinityTable(AFFINITY_BUCKETS, annex);
  }

  /** Writer: such as {@code 10.96.0.0/12}; addresses in them that no Service has are dropped. */
  public void serviceCidrs(Collection<String> prefixes) {
    cidrs = Prefixes.of(prefixes);
  }

  /** Writer: how senders are told apart from now on. */
  public void clients(ClientRules rules) {
    clients = new Clients(rules);
  }

  /** Writer: the node's own addresses are these now. */
  public synchronized void ownAddresses(Collection<InetAddress> addresses) {
    Set<InetAddress> now = Set.copyOf(addresses);
    Set<InetAddress> changed = new HashSet<>(own);
    changed.addAll(now);
    changed.removeIf(address -> own.contains(address) && now.contains(address));
    own = now;
    changed.forEach(this::publishAddress);
    qsbr.reclaim();
  }

  /**
   * Writer: takes these fronts as they are now, and forgets those. UDP flows to endpoints that are
   * gone go at once, as do TCP flows whose SYN was never answered; others stay until they end.
   */
  public synchronized void apply(Collection<FrontSpec> changedOrNew, Collection<FrontKey> removed) {
    StaleFlows stale = new StaleFlows();
    for (FrontSpec spec :
        changedOrNew) { // first, so that a Service port that moves keeps its number
      replace(spec, stale);
    }
    for (FrontKey key : removed) {
      State before = states.remove(key);
      if (before != null) {
        set(key, 0);
        count(before.spec, -1);
        stale.add(before.spec, Backends.NONE, before.owner.number);
        retire(before);
      }
    }
    if (!stale.isEmpty()) {
      // When no worker can choose by an old record any more: to look for flows is to read all.
      qsbr.retire(0, ignored -> withdraw(stale));
      withdrawSoon();
    }
    fronts = states.size();
    qsbr.reclaim();
  }

  /**
   * A worker that is awake comes past its quiescent point within a cycle. If one does not, the next
   * {@link Qsbr#reclaim} is soon enough.
   */
  private void withdrawSoon() {
    long end = System.nanoTime() + A_FEW_CYCLES;
    for (qsbr.reclaim(); qsbr.pending() > 0 && System.nanoTime() - end < 0; qsbr.reclaim()) {
      Thread.onSpinWait();
    }
  }

  private synchronized void withdraw(StaleFlows stale) {
    if (stale.mayBeIn(flows)) {
      staleFlows += flows.withdraw(stale);
    }
  }

  /**
   * Writer, once, before any worker runs: flows that an earlier process left belong to the Services
   * that have their fronts now; UDP flows that no longer have a reason go.
   */
  public synchronized void adoptFlows() {
    flows.adopt(flow -> {
      boolean ipv6 = flow.ipv6();
      InetAddress address = AddressWords.address(ipv6, flow.frontHigh(), flow.frontLow());
      State state = states.get(new FrontKey(address, flow.protocol(), flow.frontPort()));
      if (state == null) {
        return flow.protocol() == IpProtocol.UDP ? -1 : 0;
      }
      InetSocketAddress endpoint =
          new InetSocketAddress(
              AddressWords.address(ipv6, flow.endpointHigh(), flow.endpointLow()),
              flow.endpointPort());
      Backends backends = state.spec.backends();
      boolean answers =
          backends.serving().contains(endpoint)
              || backends.cluster().contains(endpoint)
              || backends.local().contains(endpoint);
      return answers || flow.protocol() != IpProtocol.UDP ? state.owner.number : -1;
    });
  }

  private void replace(FrontSpec spec, StaleFlows stale) {
    FrontKey key = spec.key();
    State before = states.get(key);
    if (spec.equals(before == null ? null : before.spec)) {
      return;
    }
    Owner owner = owners.computeIfAbsent(spec.service(), name -> newOwner());
    owner.fronts++;
    long cluster = share(spec.backends().cluster());
    long local = share(spec.backends().local());
    long record = FrontRecord.write(blocks, spec, owner.number, owner.counter, cluster, local);
    states.put(key, new State(spec, record, owner));
    count(spec, 1);
    set(key, record);
    if (before != null) {
      count(before.spec, -1);
      stale.add(before.spec, spec.backends(), before.owner.number);
      retire(before);
    } else if (clients.egress(AddressWords.ipv6(key.address()))) {
      stale.addNew(spec);
    }
  }

  private Owner newOwner() {
    long counter = blocks.take(Long.BYTES);
    Memory.putLong(counter, 0);
    return new Owner(++lastNumber, counter);
  }

  /** The record of {@code set}, 0 for an empty one. */
  private long share(EndpointSet set) {
    if (set.isEmpty()) {
      return 0;
    }
    Shared shared =
        sets.computeIfAbsent(set, s -> new Shared(SetRecord.write(blocks, s, this::load)));
    if (shared.users++ == 0) {
      countEndpoints(set, 1);
    }
    return shared.record;
  }

  private void unshare(EndpointSet set) {
    Shared shared = sets.get(set);
    if (shared != null && --shared.users == 0) {
      sets.remove(set);
      countEndpoints(set, -1);
      qsbr.retire(shared.record, record -> blocks.give(record, SetRecord.bytes(record)));
    }
  }

  /** Flows point to it, so it stays: eight bytes an endpoint that was ever chosen by its load. */
  private long load(InetSocketAddress endpoint) {
    return loads.computeIfAbsent(
        endpoint,
        e -> {
          long counter = blocks.take(Long.BYTES);
          Memory.putLong(counter, 0);
          return counter;
        });
  }

  private void retire(State state) {
    qsbr.retire(state.record, record -> blocks.give(record, FrontRecord.bytes(record)));
    unshare(state.spec.backends().cluster());
    unshare(state.spec.backends().local());
    if (--state.owner.fronts == 0) {
      owners.remove(state.spec.service());
      if (state.spec.affinity().seconds() > 0) {
        affinities.forget(AffinityTable.identity(state.spec.service()));
      }
      qsbr.retire(state.owner.counter, counter -> blocks.give(counter, Long.BYTES));
    }
  }

  /** Keeps what is known of the address alone. */
  private void count(FrontSpec spec, int change) {
    int[] counts = kinds.computeIfAbsent(spec.address(), a -> new int[KINDS.length]);
    int now = counts[spec.kind().ordinal()] += change;
    if (now == 0 || now == change) { // the last one, or the first
      publishAddress(spec.address());
    }
  }

  private void countEndpoints(EndpointSet set, int change) {
    long key = FrontSlots.address(set.ipv6());
    for (int i = 0; i < set.size(); i++) {
      slots.add(set.high(i), set.low(i), key, change * ENDPOINT);
      growIfCrowded();
    }
  }

  private void publishAddress(InetAddress address) {
    int[] counts = kinds.get(address);
    boolean isOwn = own.contains(address);
    long value = isOwn ? OWN : 0;
    if (counts != null) {
      for (FrontKind kind : KINDS) {
        if (counts[kind.ordinal()] > 0) {
          boolean real = isOwn || kind == FrontKind.NODE_PORT || kind == FrontKind.HOST_PORT;
          value |= SERVICE;
          value |= kind == FrontKind.CLUSTER_IP ? CLUSTER_IP : 0;
          value |= real ? 0 : VIRTUAL;
        }
      }
      if ((value & SERVICE) == 0) {
        kinds.remove(address);
      }
    }
    long key = FrontSlots.address(AddressWords.ipv6(address));
    long before = slots.find(AddressWords.high(address), AddressWords.low(address), key);
    put(address, key, before & ~FLAGS | value);
  }

  private void set(FrontKey key, long record) {
    boolean ipv6 = AddressWords.ipv6(key.address());
    put(key.address(), FrontSlots.front(ipv6, key.protocol(), key.port()), record);
  }

  private void put(InetAddress address, long key, long value) {
    slots.put(AddressWords.high(address), AddressWords.low(address), key, value);
    growIfCrowded();
  }

  private void growIfCrowded() {
    FrontSlots now = slots;
    if (now.crowded()) {
      slots = now.anew();
      qsbr.retire(0, ignored -> now.area.close());
    }
  }

  /**
   * Whether {@code source} is known as a pod of this node and {@code port} leads elsewhere: then
   * the route to it (often the default route) is not the way it comes by. From any thread.
   */
  public boolean contradicts(int port, InetAddress source) {
    return clients.contradicts(
        port, AddressWords.ipv6(source), AddressWords.high(source), AddressWords.low(source));
  }

  /** The front of this key, null for none. From any thread. */
  public synchronized @Nullable FrontSpec front(FrontKey key) {
    State state = states.get(key);
    return state == null ? null : state.spec;
  }

  /** Native memory of the fronts' and endpoint sets' records. From any thread. */
  public synchronized long bytes() {
    return blocks.mapped();
  }

  /** All fronts. From any thread. */
  public synchronized List<ServiceCopy> services() {
    List<ServiceCopy> copies = new ArrayList<>(states.size());
    states
        .values()
        .forEach(s ->
            copies.add(
                new ServiceCopy(s.spec, s.owner.number, Memory.getLongAcquire(s.owner.counter))));
    return copies;
  }

  /** Flows that went because their endpoint did. From any thread. */
  public long staleFlows() {
    return staleFlows;
  }

  /** How many fronts there are. From any thread. */
  public int size() {
    return fronts;
  }

  /** Readers: to be read once a vector. */
  FrontSlots slots() {
    return slots;
  }

  Prefixes cidrs() {
    return cidrs;
  }

  Clients clients() {
    return clients;
  }

  DirectTuples direct() {
    return direct;
  }

  AffinityTable affinities() {
    return affinities;
  }

  /** Gives the memory back; no worker may be running. */
  @Override
  public synchronized void close() {
    qsbr.reclaim();
    slots.area.close();
    blocks.close();
    affinities.close();
    direct.close();
  }
}
