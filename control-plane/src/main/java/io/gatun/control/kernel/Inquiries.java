package io.gatun.control.kernel;

import io.gatun.control.kernel.KernelTables.Neighbour;
import io.gatun.fib.Adjacency;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Which neighbours the kernel is asked for, and when; for one thread.
 *
 * <p>Our traffic does not pass the kernel, so it would neither look for a next hop nor confirm one.
 * A next hop without a MAC address is asked for at once, then after 1, 2, 4 … 16 seconds; one that
 * a packet waits for, at once and each second. One that the kernel calls stale is asked for again,
 * so that an address that moved is found and the kernel's own tables do not forget what is in use.
 */
final class Inquiries {
  private static final long LOOK = TimeUnit.MILLISECONDS.toNanos(500);
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final int LONGEST_SHIFT = 4;

  /** Of a quarter of a million endpoints few are on a link of ours; a packet does not wait here. */
  private static final int LOOKS_AT_ONCE = 2048;

  private static final long STALE = TimeUnit.SECONDS.toNanos(10);

  private record Question(int device, InetAddress address) {}

  private record Asked(long when, int times) {}

  private final KernelSource source;
  private final RoutePlan plan;
  private final Map<Question, Asked> asked = new HashMap<>();
  private Set<InetAddress> wanted = Set.of();
  private List<InetAddress> round = List.of();
  private int position;
  private long nextLook = Long.MIN_VALUE;

  Inquiries(KernelSource source, RoutePlan plan) {
    this.source = source;
    this.plan = plan;
  }

  /** Addresses that packets will be sent to: a view of what they are, now and later. */
  void wanted(Set<InetAddress> addresses) {
    wanted = addresses;
    if (addresses.size() <= LOOKS_AT_ONCE) {
      nextLook = Long.MIN_VALUE;
    }
  }

  /** A packet waits for {@code address}. */
  void waiting(int device, InetAddress address, long now) {
    Question question = new Question(device, address);
    Asked last = asked.get(question);
    if (Devices.isAskable(device, address) && (last == null || now - last.when() >= SECOND)) {
      ask(question, 1, now);
    }
  }

  /** Looks at everything that is in use; {@code changed}: not only when it is time to. */
  void doWork(long now, boolean changed) {
    if (!changed && nextLook != Long.MIN_VALUE && now - nextLook < 0) {
      return;
    }
    nextLook = now + LOOK;
    Set<Question> open = new HashSet<>();
    for (Target target : plan.writer().targets()) {
      if (target instanceof Target.Hop(int device, InetAddress address)) {
        look(device, address, now, open);
      }
    }
    for (Target.Hop hop : plan.tunnels().underlays()) {
      look(hop.device(), hop.address(), now, open);
    }
    if (position >= round.size()) {
      round = List.copyOf(wanted);
      position = 0;
    }
    int end = Math.min(round.size(), position + LOOKS_AT_ONCE);
    for (InetAddress address : round.subList(position, end)) {
      if (plan.lookup(address) instanceof Target.OnLink(int device)) {
        look(device, address, now, open);
      }
    }
    position = end;
    asked
        .entrySet()
        .removeIf(e -> !open.contains(e.getKey()) && now - e.getValue().when() >= STALE);
  }

  private void look(int device, InetAddress address, long now, Set<Question> open) {
    if (!Devices.isAskable(device, address)) {
      return;
    }
    Question question = new Question(device, address);
    Target.Hop hop = new Target.Hop(device, address);
    boolean missing =
        plan.mac(hop) == null
            || (plan.tunnels().underlay(hop) == null
                && plan.writer().adjacency(hop) instanceof Adjacency.Unresolved);
    boolean stale =
        !missing
            && plan.state().get(Neighbour.key(device, address)) instanceof Neighbour neighbour
            && neighbour.stale();
    if (!missing && !stale) {
      return;
    }
    open.add(question);
    Asked last = asked.get(question);
    if (last == null) {
      ask(question, 1, now);
    } else if (now - last.when() >= pause(missing, last.times())) {
      ask(question, last.times() + 1, now);
    }
  }

  private static long pause(boolean missing, int times) {
    return missing ? SECOND << Math.min(times - 1, LONGEST_SHIFT) : STALE;
  }

  private void ask(Question question, int times, long now) {
    asked.put(question, new Asked(now, times));
    source.resolve(question.device(), question.address());
  }
}
