package io.gatun.port.packet;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.nft.NftSocket;
import io.gatun.ffm.nft.NftTransaction;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Until when frames are ours, without eBPF: an element with a time-out in a set of an nftables
 * table that every taken interface's ingress chain looks up. Safe for use by many threads.
 *
 * <pre>
 *   table netdev gatun {
 *     set lease { type iface_type; flags timeout; elements = { ether expires 4s970ms } }
 *     set own4 { … }   set own6 { … }   set claimed_tcp { type inet_service; flags interval; … }   …
 *     chain cali1 { type filter hook ingress device "cali1" priority -500;
 *       iiftype != &#64;lease accept       the lease has run out: the kernel's
 *       …                             groups, what is not IP, link-local, neighbour discovery: accept
 *       ether daddr != &#64;bridge_7_0 accept   a bridge's port: what its bridge keeps (io.gatun.bridge)
 *       drop                          ours: the socket has its copy
 *     }
 *   }
 * </pre>
 *
 * The table outlives us: after a death its element expires by itself. Every transaction makes the
 * {@code nft} programs of others start theirs again, so the element is renewed only when a quarter
 * of its time has gone: between a death and the kernel's return lie three to four quarters of the
 * hold.
 */
public final class NftLease implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("gatun.lease");

  private static final String TABLE = "gatun";
  private static final String SET = IngressRules.LEASE;

  /** ARPHRD_ETHER in host order, as the kernel puts it into a register: the one key. */
  private static final byte[] ETHERNET = {1, 0};

  /** Before all others, tc's bridge and kube-proxy's among them (raw is -300). */
  private static final int PRIORITY = -500;

  private final NftSocket socket;
  private volatile long until;
  private long granted;
  private boolean failed;
  private volatile int lapses;

  /** Names, and addresses of those that are uplinks. */
  private final Map<String, byte[]> interfaces = new TreeMap<>();

  private OwnList own = OwnList.NONE;

  /** The list of which the uplinks' first rules are made: {@link #own}, or one of nothing. */
  private OwnList quick = OwnList.NONE;

  /** Of bridged interfaces: the set of addresses that are ours. */
  private Map<String, String> members = new HashMap<>();

  private Map<String, Set<Long>> macs = Map.of();

  private final Function<String, List<InetAddress>> addressesOf;

  private NftLease(NftSocket socket, Function<String, List<InetAddress>> addressesOf) {
    this.socket = socket;
    this.addressesOf = addressesOf;
  }

  /** The namespace's table: a predecessor's, with its lease running on, or a new one without. */
  public static NftLease open() {
    return open(NftLease::addresses);
  }

  /** {@code addressesOf} answers for an interface's name. */
  static NftLease open(Function<String, List<InetAddress>> addressesOf) {
    NftLease lease = new NftLease(new NftSocket(), addressesOf);
    must(lease.socket.commit(table()), "make the nftables table " + TABLE);
    return lease;
  }

  /** None where the interface has just gone. */
  private static List<InetAddress> addresses(String ifName) {
    try {
      NetworkInterface device = NetworkInterface.getByName(ifName);
      return device == null ? List.of() : Collections.list(device.getInetAddresses());
    } catch (SocketException gone) {
      return List.of();
    }
  }

  private static NftTransaction table() {
    NftTransaction table = new NftTransaction(TABLE).table().deviceTypeSet(SET);
    table.addressSet(IngressRules.OWN4, 4).addressSet(IngressRules.OWN6, 16);
    OwnList.PROTOCOLS.forEach(protocol -> table.portSet(IngressRules.claimed(protocol)));
    return table;
  }

  /**
   * From now on what comes in by {@code ifName} is ours while the lease lasts.
   *
   * @param mac of an uplink, where it is ours when addressed to that and not the node's own; empty
   *     for others
   */
  synchronized void attach(String ifName, byte[] mac) {
    must(put(ifName, mac, null), "make the ingress chain of " + ifName);
    interfaces.put(ifName, mac);
  }

  /**
   * What comes in by an interface of {@code ofInterfaces} is ours only when it is for one of the
   * addresses of its set; by the others everything is. False when the kernel refuses: then nothing
   * has changed.
   */
  public synchronized boolean switching(
      Map<String, Collection<Long>> addresses, Map<String, String> ofInterfaces) {
    Map<String, Set<Long>> wanted = new HashMap<>();
    addresses.forEach((set, keys) -> wanted.put(set, Set.copyOf(keys)));
    Map<String, String> mine = new HashMap<>(ofInterfaces);
    mine.keySet().retainAll(interfaces.keySet());
    NftTransaction changes = new NftTransaction(TABLE);
    wanted.forEach((set, keys) -> fill(changes, set, macs.get(set), keys));
    interfaces.forEach((each, mac) -> {
      if (!Objects.equals(mine.get(each), members.get(each))) {
        chain(changes, each, mac, mine.get(each), quick);
      }
    });
    for (String set : macs.keySet()) {
      if (!wanted.containsKey(set)) {
        changes.removeSet(set);
      }
    }
    if (changes.isEmpty() || socket.commit(changes) == 0) {
      macs = wanted;
      members = mine;
      return true;
    }
    return false;
  }

  /** {@code before} null: the set is new to us, though a predecessor may have left one. */
  private static void fill(
      NftTransaction changes, String set, @Nullable Set<Long> before, Set<Long> now) {
    Set<Long> known = before == null ? Set.of() : before;
    if (before == null) {
      changes.macSet(set).clear(set);
    }
    known.stream().filter(k -> !now.contains(k)).forEach(k -> changes.removeElement(set, mac(k)));
    changes.elements(set, now.stream().filter(k -> !known.contains(k)).map(NftLease::mac).toList());
  }

  private static byte[] mac(long address) {
    return Arrays.copyOfRange(ByteBuffer.allocate(8).putLong(address).array(), 2, 8);
  }

  /**
   * @param mac of an uplink, empty for others
   * @param bridge the set of what is ours on a bridge's port, null for others
   * @param streams of which an uplink's first rules are made
   */
  private NftTransaction chain(
      NftTransaction chain, String ifName, byte[] mac, @Nullable String bridge, OwnList streams) {
    chain.ingressChain(ifName, ifName, PRIORITY).flush(ifName);
    (mac.length == 0
            ? IngressRules.pod(bridge)
            : IngressRules.uplink(mac, OwnStreams.rules(addressesOf.apply(ifName), streams)))
        .forEach(rule -> chain.rule(ifName, rule));
    return chain;
  }

  /** What uplinks leave to the kernel, at once; 0, or −errno with the list before still there. */
  synchronized int own(OwnList list) {
    own = list;
    quick = list;
    NftTransaction all = fill();
    uplinks((name, mac) -> chain(all, name, mac, null, list));
    int result = socket.commit(all);
    if (result < 0) { // an interface may have gone: one by one, and each step says nothing wrong
      quick = OwnList.NONE;
      uplinks((name, mac) -> put(name, mac, null));
      result = socket.commit(fill());
      if (result >= 0) {
        quick = list;
        uplinks((name, mac) -> put(name, mac, null));
      }
    }
    return result;
  }

  private void uplinks(BiConsumer<String, byte[]> each) {
    interfaces.forEach((name, mac) -> {
      if (mac.length != 0) {
        each.accept(name, mac);
      }
    });
  }

  /** An interface's chain alone; −errno where it has gone. */
  private int put(String ifName, byte[] mac, @Nullable String bridge) {
    int result = put(ifName, mac, bridge, quick);
    // The rules that are there for speed alone may be what the kernel does not know.
    return result < 0 ? put(ifName, mac, bridge, OwnList.NONE) : result;
  }

  private int put(String ifName, byte[] mac, @Nullable String bridge, OwnList streams) {
    return socket.commit(chain(new NftTransaction(TABLE), ifName, mac, bridge, streams));
  }

  private NftTransaction fill() {
    NftTransaction sets = new NftTransaction(TABLE);
    sets.clear(IngressRules.OWN4).elements(IngressRules.OWN4, own.ipv4());
    sets.clear(IngressRules.OWN6).elements(IngressRules.OWN6, own.ipv6());
    for (int protocol : OwnList.PROTOCOLS) {
      String set = IngressRules.claimed(protocol);
      sets.clear(set).ranges(set, own.ranges(protocol));
    }
    return sets;
  }

  /** What comes in by {@code ifName} is the kernel's again. */
  synchronized void detach(String ifName) {
    interfaces.remove(ifName);
    members.remove(ifName);
    socket.commit(new NftTransaction(TABLE).removeChain(ifName)); // gone with its interface: fine
  }

  private static void must(int result, String what) {
    NativeException.check(
        result, what, "needs CAP_NET_ADMIN and a kernel with CONFIG_NF_TABLES_NETDEV");
  }

  /** What a process before us was granted last, which runs on for us. */
  public synchronized void inherit(long grantedUntil) {
    granted = grantedUntil;
    until = grantedUntil;
  }

  /**
   * Frames are ours until {@code newUntil}, in nanoseconds of CLOCK_MONOTONIC, or a little less.
   */
  public synchronized void renew(long newUntil) {
    long now = Libc.monotonicNanos();
    long hold = newUntil - now;
    if (hold <= 0 || granted - now > hold - hold / 4) {
      return;
    }
    if (until != 0 && until - now < 0) { // not the first one: nobody has read anything before it
      lapses++; // before the grant: who finds the lease good again sees it; under our lock
    }
    int result = grant(hold);
    if (result == -Errno.ENOENT && restore()) {
      result = grant(hold);
    }
    if (result < 0) {
      if (!failed) {
        LOG.log(
            System.Logger.Level.ERROR,
            "the lease of the packet ports cannot be renewed ({0}): table netdev {1} is to be left"
                + " alone",
            Errno.name(-result),
            TABLE);
      }
    } else {
      granted = newUntil;
      until = newUntil;
    }
    failed = result < 0;
  }

  private int grant(long hold) {
    // Added first, so that it can be removed whether it was there or not; then with its time.
    return socket.commit(
        new NftTransaction(TABLE)
            .element(SET, ETHERNET, 0)
            .removeElement(SET, ETHERNET)
            .element(SET, ETHERNET, TimeUnit.NANOSECONDS.toMillis(hold)));
  }

  /** Somebody flushed the ruleset: all is made anew. */
  private boolean restore() {
    int result = socket.commit(table());
    if (result == 0) {
      NftTransaction sets = fill();
      macs.forEach((set, keys) -> fill(sets, set, null, keys));
      result = socket.commit(sets);
    }
    interfaces.forEach((name, mac) -> put(name, mac, members.get(name))); // or it has gone
    return result == 0;
  }

  /** From this moment all frames go to the kernel. */
  public synchronized void expire() {
    until = 0;
    granted = 0;
    socket.commit(new NftTransaction(TABLE).element(SET, ETHERNET, 0).removeElement(SET, ETHERNET));
  }

  /** When it runs out, in nanoseconds of CLOCK_MONOTONIC; 0 when it never was renewed. */
  public long until() {
    return until;
  }

  /**
   * How often it had run out when it was granted. While it was out the kernel had what came: a
   * socket that finds another number throws away what waits in it.
   */
  int lapses() {
    return lapses;
  }

  /** Removes everything: no interface is ours any more. */
  public void remove() {
    socket.commit(new NftTransaction(TABLE).removeTable());
  }

  /** What a dead process left in this namespace goes; true when there was something. */
  public static boolean undo() {
    try (NftSocket socket = new NftSocket()) {
      return socket.commit(new NftTransaction(TABLE).removeTable()) == 0;
    }
  }

  /** Lets go of the socket; the lease runs on. */
  @Override
  public void close() {
    socket.close();
  }
}
