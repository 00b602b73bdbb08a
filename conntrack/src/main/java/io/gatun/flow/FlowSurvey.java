package io.gatun.flow;

import io.gatun.packet.IpProtocol;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * What looks at all flows, one after the other: for the control side, safe beside workers. {@link
 * FlowTable} says what each is for.
 */
final class FlowSurvey {
  private final FlowIndex index;
  private final FlowPool pool;
  private final FlowRemoval removal;
  private final FlowCounts counts;

  FlowSurvey(FlowIndex index, FlowPool pool, FlowRemoval removal, FlowCounts counts) {
    this.index = index;
    this.pool = pool;
    this.removal = removal;
    this.counts = counts;
  }

  void adopt(ToIntFunction<FlowView> numbers) {
    FlowView view = new FlowView();
    int touched = pool.touched();
    for (int i = 0; i < touched; i++) {
      long flow = pool.address(i);
      if (!pool.isLive(i) || FlowLayout.service(flow) == 0) {
        continue;
      }
      int number = numbers.applyAsInt(view.wrap(flow));
      if (number < 0) {
        removal.remove(flow);
      } else {
        counts.renumber(flow, number);
      }
    }
  }

  int remove(FlowFilter filter) {
    return end(filter, (flow, view) -> removal.remove(flow, filter, view));
  }

  /** {@code now}: a tick. */
  int withdraw(FlowFilter filter, int now) {
    return end(
        filter,
        (flow, view) ->
            view.protocol() == IpProtocol.UDP
                ? removal.withdraw(flow, filter, view, now)
                : removal.remove(flow, filter, view));
  }

  /** Ends one flow that {@code view} shows, if it still may. */
  @FunctionalInterface
  private interface Ending {
    boolean end(long flow, FlowView view);
  }

  private int end(FlowFilter filter, Ending how) {
    FlowView view = new FlowView();
    int ended = 0;
    int touched = pool.touched();
    for (int i = 0; i < touched; i++) {
      long flow = pool.address(i);
      if (pool.isLive(i) && filter.matches(view.wrap(flow)) && how.end(flow, view)) {
        ended++;
      }
    }
    return ended;
  }

  List<FlowCopy> copies(FlowFilter filter, int limit, int now) {
    List<FlowCopy> copies = new ArrayList<>();
    FlowView view = new FlowView();
    int touched = pool.touched();
    for (int i = 0; i < touched && copies.size() < limit; i++) {
      if (isThere(i) && filter.matches(view.wrap(pool.address(i)))) {
        copies.add(FlowCopy.of(view, now));
      }
    }
    return copies;
  }

  void forEach(Consumer<FlowView> visitor) {
    FlowView view = new FlowView();
    int touched = pool.touched();
    for (int i = 0; i < touched; i++) {
      if (isThere(i)) {
        visitor.accept(view.wrap(pool.address(i)));
      }
    }
  }

  private boolean isThere(int number) {
    return pool.isLive(number) && FlowLayout.state(pool.address(number)) != FlowTracker.WITHDRAWN;
  }

  @Nullable FlowCopy copy(
      InetAddress source, InetAddress destination, int ports, int protocol, int now) {
    boolean ipv6 = AddressWords.ipv6(source);
    long key = FlowLayout.key(ports, ipv6 ? FlowLayout.IPV6 : FlowLayout.IPV4, protocol);
    long s0 = AddressWords.high(source);
    long s1 = AddressWords.low(source);
    long d0 = AddressWords.high(destination);
    long d1 = AddressWords.low(destination);
    int hash = ipv6 ? FlowHash.ofKey(key, s0, s1, d0, d1) : FlowHash.ofKey(key, s1 << 32 | d1);
    index.lock(hash, hash); // nothing is freed under who holds a lock
    try {
      long entry =
          ipv6 ? index.find(hash, key, s0, s1, d0, d1) : index.find(hash, key, s1 << 32 | d1);
      return entry == 0 ? null : FlowCopy.of(new FlowView().wrap(FlowLayout.flowOf(entry)), now);
    } finally {
      index.unlock(hash, hash);
    }
  }
}
