package io.gatun.service;

import io.gatun.flow.AddressWords;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/**
 * Endpoints of one family that a new flow may be given, and how one of them is chosen. Immutable;
 * sorted by address and port, so that all nodes agree on the order.
 *
 * <p>A node has a quarter of a million of them, each in several sets, and a set may have a hundred
 * thousand and is looked up at every change of its Service: so they are words in one array, one an
 * endpoint (IPv4 address and port) or three (IPv6 address, port), and the hash is computed once.
 */
public final class EndpointSet {
  /** Beyond this a weight is a mistake; it bounds the table that is made from the weights. */
  public static final int MAX_WEIGHT = 100;

  public static final EndpointSet EMPTY = builder(false, Algorithm.MAGLEV, 0).build();

  private static final int PORT_BITS = 16;
  private static final int PORT_MASK = 0xFFFF;

  private final boolean ipv6;
  private final long[] words;

  /** Null: all are 1. */
  private final int @Nullable [] weights;

  private final Algorithm algorithm;
  private final int hash;

  private EndpointSet(boolean ipv6, long[] words, int @Nullable [] weights, Algorithm algorithm) {
    this.ipv6 = ipv6;
    this.words = words;
    this.weights = weights;
    this.algorithm = algorithm;
    this.hash = 31 * (31 * Arrays.hashCode(words) + Arrays.hashCode(weights)) + algorithm.ordinal();
  }

  /** Takes endpoints in the order of a set. */
  public static final class Builder {
    private final boolean ipv6;
    private final Algorithm algorithm;
    private long[] words;
    private int @Nullable [] weights;
    private int size;

    private Builder(boolean ipv6, Algorithm algorithm, int expected) {
      this.ipv6 = ipv6;
      this.algorithm = algorithm;
      this.words = new long[expected * stride(ipv6)];
    }

    /**
     * One more, behind the one before it.
     *
     * @param high and {@code low}: its address, as {@link AddressWords} has it
     * @param weight 1 to {@link #MAX_WEIGHT}
     */
    public Builder add(long high, long low, int port, int weight) {
      if (weight < 1 || weight > MAX_WEIGHT) {
        throw new IllegalArgumentException(
            "weight %d, expected 1 to %d".formatted(weight, MAX_WEIGHT));
      }
      int stride = stride(ipv6);
      if ((size + 1) * stride > words.length) {
        words = Arrays.copyOf(words, Math.max(4, 2 * size) * stride);
      }
      int at = size * stride;
      if (ipv6) {
        words[at] = high;
        words[at + 1] = low;
        words[at + 2] = port;
      } else {
        words[at] = low << PORT_BITS | port;
      }
      if (size > 0 && compare(ipv6, words, at - stride, words, at) >= 0) {
        throw new IllegalArgumentException("endpoints out of order");
      }
      if (weight != 1 || weights != null) {
        weigh(weight);
      }
      size++;
      return this;
    }

    private void weigh(int weight) {
      int[] now = weights;
      if (now == null) {
        now = new int[Math.max(4, 2 * size)];
        Arrays.fill(now, 0, size, 1);
      } else if (size == now.length) {
        now = Arrays.copyOf(now, 2 * size);
      }
      now[size] = weight;
      weights = now;
    }

    public EndpointSet build() {
      int length = size * stride(ipv6);
      return new EndpointSet(
          ipv6,
          length == words.length ? words : Arrays.copyOf(words, length),
          weights == null ? null : reduced(Arrays.copyOf(weights, size)),
          algorithm);
    }
  }

  /** A set of endpoints of one family, of which so many are expected. */
  public static Builder builder(boolean ipv6, Algorithm algorithm, int expected) {
    return new Builder(ipv6, algorithm, expected);
  }

  /** These, with equal weights, by {@link Algorithm#MAGLEV}. */
  public static EndpointSet of(Collection<InetSocketAddress> endpoints) {
    Map<InetSocketAddress, Integer> weights = new LinkedHashMap<>();
    endpoints.forEach(endpoint -> weights.put(endpoint, 1));
    return of(weights, Algorithm.MAGLEV);
  }

  /** These with their weights, 1 to {@link #MAX_WEIGHT}; all of one family. */
  public static EndpointSet of(Map<InetSocketAddress, Integer> weights, Algorithm algorithm) {
    List<Map.Entry<EndpointKey, Integer>> sorted = new ArrayList<>();
    weights.forEach((endpoint, weight) ->
        sorted.add(Map.entry(EndpointKey.of(endpoint.getAddress(), endpoint.getPort()), weight)));
    sorted.sort(Map.Entry.comparingByKey());
    boolean ipv6 = !sorted.isEmpty() && sorted.getFirst().getKey().ipv6();
    Builder builder = builder(ipv6, algorithm, sorted.size());
    for (Map.Entry<EndpointKey, Integer> entry : sorted) {
      EndpointKey key = entry.getKey();
      if (key.ipv6() != ipv6) {
        throw new IllegalArgumentException("endpoints of both families");
      }
      builder.add(key.high(), key.low(), key.port(), entry.getValue());
    }
    return builder.build();
  }

  /** Only the ratios count. Null when all are the same. */
  private static int @Nullable [] reduced(int[] weights) {
    int divisor = 0;
    for (int weight : weights) {
      divisor = gcd(weight, divisor);
    }
    boolean equal = true;
    for (int i = 0; i < weights.length; i++) {
      weights[i] /= divisor;
      equal &= weights[i] == 1;
    }
    return equal ? null : weights;
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  private static int stride(boolean ipv6) {
    return ipv6 ? 3 : 1;
  }

  private static int compare(boolean ipv6, long[] a, int i, long[] b, int k) {
    int order = Long.compareUnsigned(a[i], b[k]);
    if (!ipv6 || order != 0) {
      return order;
    }
    order = Long.compareUnsigned(a[i + 1], b[k + 1]);
    return order != 0 ? order : Long.compare(a[i + 2], b[k + 2]);
  }

  /** In their order; each is made when it is asked for. */
  public List<InetSocketAddress> endpoints() {
    return new Endpoints();
  }

  private final class Endpoints extends AbstractList<InetSocketAddress> implements RandomAccess {
    @Override
    public InetSocketAddress get(int index) {
      return new InetSocketAddress(address(index), port(index));
    }

    @Override
    public int size() {
      return EndpointSet.this.size();
    }
  }

  /** Of the endpoint at {@code index}. */
  public InetAddress address(int index) {
    return AddressWords.address(ipv6, high(index), low(index));
  }

  /** Of the endpoint at {@code index}, as {@link AddressWords} has it. */
  long high(int index) {
    return ipv6 ? words[3 * index] : 0;
  }

  long low(int index) {
    return ipv6 ? words[3 * index + 1] : words[index] >>> PORT_BITS;
  }

  /** Of the endpoint at {@code index}. */
  public int port(int index) {
    return (int) (ipv6 ? words[3 * index + 2] : words[index] & PORT_MASK);
  }

  /** Of the endpoint at {@code index}; only the ratios count. */
  public int weight(int index) {
    return weights == null ? 1 : weights[index];
  }

  public Algorithm algorithm() {
    return algorithm;
  }

  boolean ipv6() {
    return ipv6;
  }

  public int size() {
    return words.length / stride(ipv6);
  }

  public boolean isEmpty() {
    return words.length == 0;
  }

  public boolean contains(InetSocketAddress endpoint) {
    EndpointKey key = EndpointKey.of(endpoint.getAddress(), endpoint.getPort());
    return key.ipv6() == ipv6 && find(key.high(), key.low(), key.port()) >= 0;
  }

  /** The index of an endpoint of this set's family, negative when it is not there. */
  int find(long high, long low, int port) {
    long[] key = ipv6 ? new long[] {high, low, port} : new long[] {low << PORT_BITS | port};
    int stride = stride(ipv6);
    int from = 0;
    int to = size() - 1;
    while (from <= to) {
      int middle = (from + to) >>> 1;
      int order = compare(ipv6, words, middle * stride, key, 0);
      if (order == 0) {
        return middle;
      }
      if (order < 0) {
        from = middle + 1;
      } else {
        to = middle - 1;
      }
    }
    return -1;
  }

  /** Takes an endpoint. */
  @FunctionalInterface
  interface Visitor {
    void endpoint(long high, long low, int port);
  }

  /** Tells those that {@code other} has not; in one walk through both. */
  @SuppressWarnings("ReferenceEquality") // the same one is the usual case
  void without(EndpointSet other, Visitor visitor) {
    if (this == other) {
      return;
    }
    int stride = stride(ipv6);
    boolean comparable = ipv6 == other.ipv6;
    int at = 0;
    for (int i = 0; i < words.length; i += stride) {
      int order = 1;
      while (comparable
          && at < other.words.length
          && (order = compare(ipv6, other.words, at, words, i)) < 0) {
        at += stride;
      }
      if (!comparable || at == other.words.length || order != 0) {
        int index = i / stride;
        visitor.endpoint(high(index), low(index), port(index));
      }
    }
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || (other instanceof EndpointSet set
            && hash == set.hash
            && ipv6 == set.ipv6
            && algorithm == set.algorithm
            && Arrays.equals(weights, set.weights)
            && Arrays.equals(words, set.words));
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return algorithm + " " + endpoints();
  }
}
