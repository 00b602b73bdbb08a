package io.gatun.port.packet;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.nft.NftRule;
import io.gatun.ffm.nft.NftRule.Base;
import io.gatun.ffm.nft.NftRule.Meta;
import io.gatun.ffm.nft.NftSocket;
import io.gatun.ffm.nft.NftTransaction;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * Until when frames are ours, without eBPF: an element with a time-out in a set of an nftables
 * table that every taken interface's ingress chain looks up. Safe for use by many threads.
 *
 * <pre>
 *   table netdev gatun {
 *     set lease { type iface_type; flags timeout; elements = { ether expires 4s970ms } }
 *     chain cali1 { type filter hook ingress device "cali1" priority -500;
 *       iiftype != &#64;lease accept       the lease has run out: the kernel's
 *       …                             groups, what is not IP, link-local, neighbour discovery: accept
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
  private static final String SET = "lease";

  /** ARPHRD_ETHER in host order, as the kernel puts it into a register: the one key. */
  private static final byte[] ETHERNET = {1, 0};

  /** Before all others, tc's bridge and kube-proxy's among them (raw is -300). */
  private static final int PRIORITY = -500;

  private static final int ETHERTYPE = 12;
  private static final int IPV4 = 0x0800;
  private static final int IPV6 = 0x86DD;
  private static final int LINK_LOCAL = 0xFE80;
  private static final int LINK_LOCAL_MASK = 0xFFC0;
  private static final int NEXT_HEADER = 6;
  private static final int SOURCE = 8;
  private static final int DESTINATION = 24;
  private static final int ICMPV6 = 58;
  private static final int ICMPV6_TYPE = 40;

  private final NftSocket socket;
  private volatile long until;
  private long granted;
  private boolean failed;
  private final Set<String> interfaces = new TreeSet<>();

  private NftLease(NftSocket socket) {
    this.socket = socket;
  }

  /** The namespace's table: a predecessor's, with its lease running on, or a new one without. */
  public static NftLease open() {
    NftLease lease = new NftLease(new NftSocket());
    must(
        lease.socket.commit(new NftTransaction(TABLE).table().deviceTypeSet(SET)),
        "make the nftables table " + TABLE);
    return lease;
  }

  /** From now on what comes in by {@code ifName} is ours while the lease lasts. */
  public synchronized void attach(String ifName) {
    must(socket.commit(chain(ifName)), "make the ingress chain of " + ifName);
    interfaces.add(ifName);
  }

  private static NftTransaction chain(String ifName) {
    NftTransaction rules =
        new NftTransaction(TABLE).ingressChain(ifName, ifName, PRIORITY).flush(ifName);
    rules.rule(ifName, new NftRule().meta(Meta.DEVICE_TYPE).notIn(SET).accept());
    rules.rule(ifName, new NftRule().payload(Base.LINK, 0, 1).mask(1).isNot(0).accept());
    // The type as it was on the wire: that of a VLAN tag, also when the kernel keeps it aside.
    rules.rule(ifName, new NftRule().payload(Base.LINK, ETHERTYPE, 2).is(IPV4).drop());
    rules.rule(ifName, new NftRule().payload(Base.LINK, ETHERTYPE, 2).isNot(IPV6).accept());
    rules.rule(ifName, linkLocal(SOURCE).accept());
    rules.rule(ifName, linkLocal(DESTINATION).accept());
    rules.rule(
        ifName,
        new NftRule()
            .payload(Base.NETWORK, NEXT_HEADER, 1)
            .is(ICMPV6)
            .payload(Base.NETWORK, ICMPV6_TYPE, 1)
            .atLeast(133)
            .atMost(137)
            .accept());
    return rules.rule(ifName, new NftRule().drop());
  }

  private static NftRule linkLocal(int offset) {
    return new NftRule().payload(Base.NETWORK, offset, 2).mask(LINK_LOCAL_MASK).is(LINK_LOCAL);
  }

  /** What comes in by {@code ifName} is the kernel's again. */
  synchronized void detach(String ifName) {
    interfaces.remove(ifName);
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
    int result = socket.commit(new NftTransaction(TABLE).table().deviceTypeSet(SET));
    for (String each : interfaces) {
      socket.commit(chain(each)); // may have gone meanwhile
    }
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
