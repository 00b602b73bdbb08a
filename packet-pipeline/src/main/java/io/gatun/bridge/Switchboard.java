package io.gatun.bridge;

import io.gatun.worker.WorkerCounters;
import java.util.List;

/**
 * What is switched: which MAC address is behind which port, as one domain sees it. Immutable but
 * for the marks of use; built by the control thread, read by all workers.
 *
 * <p>On the heap: a node has a few hundred entries, and a new board replaces the old one as a
 * whole.
 */
public final class Switchboard {
  /** Nobody's. */
  static final int UNKNOWN = -1;

  /** The node's own address: routed. */
  public static final int NODE = -2;

  public static final Switchboard EMPTY = new Switchboard(List.of());

  /**
   * A MAC address.
   *
   * @param mac 48 bits, the first octet highest
   * @param port the port's number, or {@link #NODE}
   * @param mtu of the way there: of IP packets, bytes
   * @param open a frame from this domain may go there
   */
  public record Entry(long mac, int port, int mtu, boolean open) {}

  /**
   * Ports that see the same table.
   *
   * @param learning of {@code ports}: those whose senders are learnt
   * @param hairpin of {@code ports}: those that a frame may leave by that it came by
   */
  public record Domain(
      List<Integer> ports, List<Integer> learning, List<Integer> hairpin, List<Entry> entries) {
    /** What the driver is to take for us: the rest is the kernel's. */
    public List<Long> macs() {
      return entries.stream().filter(Entry::open).map(Entry::mac).distinct().sorted().toList();
    }
  }

  private static final int LEARNS = 1 << 30;
  private static final int HAIRPIN = 1 << 29;
  private static final int NUMBER = HAIRPIN - 1;
  private static final int MAC_BITS = 16;

  private final List<Domain> domains;

  /** By port number: the domain from 1, with {@link #LEARNS} and {@link #HAIRPIN}; 0 for none. */
  private final int[] domainOf = new int[WorkerCounters.PORTS];

  /** {@code mac << 16 | domain}, 0 for empty; linear probing. */
  private final long[] keys;

  private final int[] ports;
  private final int[] mtus;
  private final boolean[] open;
  private final boolean[] used;
  private final int mask;

  /** A board of these domains, numbered from 1 in this order. */
  public Switchboard(List<Domain> domains) {
    this.domains = List.copyOf(domains);
    int count = domains.stream().mapToInt(domain -> domain.entries().size()).sum();
    int size = Integer.highestOneBit(Math.max(4, count * 2) * 2 - 1);
    mask = size - 1;
    keys = new long[size];
    ports = new int[size];
    mtus = new int[size];
    open = new boolean[size];
    used = new boolean[size];
    for (int i = 0; i < domains.size(); i++) {
      Domain domain = domains.get(i);
      int number = i + 1;
      for (int port : domain.ports()) {
        domainOf[port] = number;
      }
      domain.learning().forEach(port -> domainOf[port] |= LEARNS);
      domain.hairpin().forEach(port -> domainOf[port] |= HAIRPIN);
      for (Entry entry : domain.entries()) {
        add(entry.mac() << MAC_BITS | number, entry);
      }
    }
  }

  private void add(long key, Entry entry) {
    int slot = slot(key);
    while (keys[slot] != 0 && keys[slot] != key) {
      slot = slot + 1 & mask;
    }
    keys[slot] = key;
    ports[slot] = entry.port();
    mtus[slot] = entry.mtu();
    open[slot] = entry.open();
  }

  private int slot(long key) {
    return (int) (key * 0x9E37_79B9_7F4A_7C15L >>> 40) & mask;
  }

  public List<Domain> domains() {
    return domains;
  }

  boolean isEmpty() {
    return domains.isEmpty();
  }

  /** Of a port: 0 when what comes by it is not switched. */
  int domain(int port) {
    return domainOf[port];
  }

  static boolean learns(int domain) {
    return (domain & LEARNS) != 0;
  }

  static boolean hairpin(int domain) {
    return (domain & HAIRPIN) != 0;
  }

  /** Where {@code mac} stands for that domain; {@link #UNKNOWN} when it has no such entry. */
  int find(int domain, long mac) {
    long key = mac << MAC_BITS | domain & NUMBER;
    int slot = slot(key);
    while (keys[slot] != key) {
      if (keys[slot] == 0) {
        return UNKNOWN;
      }
      slot = slot + 1 & mask;
    }
    return slot;
  }

  int port(int slot) {
    return ports[slot];
  }

  int mtu(int slot) {
    return mtus[slot];
  }

  boolean open(int slot) {
    return open[slot];
  }

  /** A frame came from there. Written only when it is news: readers on other cores stay cached. */
  void use(int slot) {
    if (!used[slot]) {
      used[slot] = true;
    }
  }

  /** A MAC address that was used in one of the ports' domains. */
  @FunctionalInterface
  public interface Uses {
    void used(int domain, long mac);
  }

  /** Hands over what was in use since it was last asked, domains by their index from 0. */
  public void uses(Uses consumer) {
    for (int slot = 0; slot < keys.length; slot++) {
      if (used[slot]) {
        used[slot] = false;
        consumer.used((int) (keys[slot] & 0xFFFF) - 1, keys[slot] >>> MAC_BITS);
      }
    }
  }
}
