package io.gatun.service;

import io.gatun.fib.PrefixNumbers;
import io.gatun.flow.AddressWords;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * From which of its addresses the node sends, by where it goes: a route each, the longest prefix
 * counts. One writer, the control thread; many readers, who look for a new masqueraded flow.
 */
public final class SourceRoutes implements AutoCloseable {
  private static final SourceAddresses.Source[] NOBODY = {SourceAddresses.Source.NONE};

  private final PrefixNumbers routes;
  private final Map<InetAddress, Integer> numbers = new HashMap<>();

  /** By number; replaced as a whole before a route names a new one. Never shrinks. */
  private volatile SourceAddresses.Source[] sources = NOBODY;

  /**
   * Without routes.
   *
   * @param retirement runs what it is given when no reader can be looking any more
   */
  public SourceRoutes(Consumer<Runnable> retirement) {
    routes = new PrefixNumbers("sources", retirement::accept);
  }

  /**
   * What goes to {@code prefix/length} comes from {@code source}; null: from the less specific's.
   */
  public void put(InetAddress prefix, int length, @Nullable InetAddress source) {
    routes.put(
        prefix instanceof Inet6Address,
        AddressWords.high(prefix),
        AddressWords.low(prefix),
        length,
        source == null ? 0 : number(source));
  }

  private int number(InetAddress source) {
    Integer known = numbers.get(source);
    if (known != null) {
      return known;
    }
    SourceAddresses.Source[] before = sources;
    SourceAddresses.Source[] now = Arrays.copyOf(before, before.length + 1);
    boolean ipv6 = source instanceof Inet6Address;
    now[before.length] = SourceAddresses.Source.of(ipv6 ? null : source, ipv6 ? source : null);
    sources = now;
    numbers.put(source, before.length);
    return before.length;
  }

  /** Where to come from; one that {@linkplain SourceAddresses.Source#has has} none: nobody says. */
  SourceAddresses.Source find(boolean ipv6, long high, long low) {
    return sources[routes.lookup(ipv6, high, low)];
  }

  /** Frees the memory; no reader may be left. */
  @Override
  public void close() {
    routes.close();
  }
}
