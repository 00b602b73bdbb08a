package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowTable;
import io.gatun.ring.qsbr.Qsbr;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * All fronts of a node: one writer, which also drives {@link Qsbr#reclaim}; many readers without
 * locks. A changed front is a new record, published by one release store; the old one is freed
 * after a grace period. So a change costs what it touches.
 */
public final class ServiceTable implements AutoCloseable {
  /** Bits of an address's value. */
  static final long KNOWN = 1;

  static final long CLUSTER_IP = 2;

  /** Not an address of the node itself: echo requests are answered, fragments are ours. */
  static final long VIRTUAL = 4;

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

  private record State(FrontSpec spec, long record, Owner owner) {}

  private final FlowTable flows;
  private final Qsbr qsbr;
  private final Blocks blocks = new Blocks();
  private final Map<FrontKey, State> states = new HashMap<>();
  private final Map<String, Owner> owners = new HashMap<>();
  private final Map<InetAddress, EnumMap<FrontKind, Integer>> kinds = new HashMap<>();
  private int lastNumber;

  private volatile FrontSlots slots = new FrontSlots(1024);
  private volatile ServiceCidrs cidrs = ServiceCidrs.NONE;

  /** {@code qsbr}: the one whose readers are the workers. */
  public ServiceTable(FlowTable flows, Qsbr qsbr) {
    this.flows = flows;
    this.qsbr = qsbr;
  }

  /** Writer: such as {@code 10.96.0.0/12}; addresses in them that no Service has are dropped. */
  public void serviceCidrs(Collection<String> prefixes) {
    cidrs = ServiceCidrs.of(prefixes);
  }

  /**
   * Writer: takes these fronts as they are now, and forgets those. UDP flows to endpoints that are
   * gone go at once, as do TCP flows whose SYN was never answered; others stay until they end.
   */
  public synchronized void apply(Collection<FrontSpec> changedOrNew, Collection<FrontKey> removed) {
    StaleFlows stale = new StaleFlows();
    for (FrontKey key : removed) {
      State before = states.remove(key);
      if (before != null) {
        set(key, 0);
        count(before.spec, -1);
        stale.add(before.spec, List.of(), before.owner.number);
        retire(before);
      }
    }
    for (FrontSpec spec : changedOrNew) {
      replace(spec, stale);
    }
    if (!stale.isEmpty()) {
      flows.removeIf(stale);
      // Once more when no worker can still choose by an old record.
      qsbr.retire(0, ignored -> flows.removeIf(stale));
    }
    qsbr.reclaim();
  }

  private void replace(FrontSpec spec, StaleFlows stale) {
    FrontKey key = spec.key();
    State before = states.get(key);
    if (spec.equals(before == null ? null : before.spec)) {
      return;
    }
    Owner owner = owners.computeIfAbsent(spec.service(), name -> newOwner());
    owner.fronts++;
    long record = FrontRecord.write(blocks, spec, owner.number, owner.counter);
    states.put(key, new State(spec, record, owner));
    count(spec, 1);
    set(key, record);
    if (before != null) {
      count(before.spec, -1);
      stale.add(before.spec, spec.endpoints(), before.owner.number);
      retire(before);
    }
  }

  private Owner newOwner() {
    long counter = blocks.take(Long.BYTES);
    Memory.putLong(counter, 0);
    return new Owner(++lastNumber, counter);
  }

  private void retire(State state) {
    qsbr.retire(state.record, record -> blocks.give(record, FrontRecord.bytes(record)));
    if (--state.owner.fronts == 0) {
      owners.remove(state.spec.service());
      qsbr.retire(state.owner.counter, counter -> blocks.give(counter, Long.BYTES));
    }
  }

  /** Keeps what is known of the address alone. */
  private void count(FrontSpec spec, int change) {
    EnumMap<FrontKind, Integer> counts =
        kinds.computeIfAbsent(spec.address(), a -> new EnumMap<>(FrontKind.class));
    counts.merge(spec.kind(), change, Integer::sum);
    long value = 0;
    for (FrontKind kind : FrontKind.values()) {
      if (counts.getOrDefault(kind, 0) > 0) {
        value |= KNOWN;
        value |= kind == FrontKind.CLUSTER_IP ? CLUSTER_IP | VIRTUAL : 0;
        value |= kind == FrontKind.LOAD_BALANCER_IP ? VIRTUAL : 0;
      }
    }
    if (value == 0) {
      kinds.remove(spec.address());
    }
    boolean ipv6 = AddressWords.ipv6(spec.address());
    put(spec.address(), FrontSlots.address(ipv6), value);
  }

  private void set(FrontKey key, long record) {
    boolean ipv6 = AddressWords.ipv6(key.address());
    put(key.address(), FrontSlots.front(ipv6, key.protocol(), key.port()), record);
  }

  private void put(InetAddress address, long key, long value) {
    FrontSlots now = slots;
    now.put(AddressWords.high(address), AddressWords.low(address), key, value);
    if (now.crowded()) {
      slots = now.anew();
      qsbr.retire(0, ignored -> now.area.close());
    }
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

  /** Readers: to be read once a vector. */
  FrontSlots slots() {
    return slots;
  }

  ServiceCidrs cidrs() {
    return cidrs;
  }

  /** Gives the memory back; no worker may be running. */
  @Override
  public synchronized void close() {
    qsbr.reclaim();
    slots.area.close();
    blocks.close();
  }
}
