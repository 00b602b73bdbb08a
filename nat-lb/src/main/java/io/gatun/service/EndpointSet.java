package io.gatun.service;

import io.gatun.flow.AddressWords;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Endpoints that a new flow may be given, and how one of them is chosen. Immutable; sorted by
 * address and port, so that all nodes agree on the order; the hash is computed once, because a set
 * may have a hundred thousand members and is looked up at every change of its Service.
 */
public final class EndpointSet {
  /** Beyond this a weight is a mistake; it bounds the table that is made from the weights. */
  public static final int MAX_WEIGHT = 100;

  public static final EndpointSet EMPTY = of(List.of());

  private final Key[] keys;
  private final List<InetSocketAddress> endpoints;
  private final int[] weights;
  private final Algorithm algorithm;
  private final int hash;

  /** An endpoint in words, by which it is sorted: bytes would be copied at every comparison. */
  private record Key(long high, long low, int port, InetSocketAddress endpoint)
      implements Comparable<Key> {
    static Key of(InetSocketAddress endpoint) {
      InetAddress address = endpoint.getAddress();
      return new Key(
          AddressWords.high(address), AddressWords.low(address), endpoint.getPort(), endpoint);
    }

    @Override
    public int compareTo(Key other) {
      int order = Long.compareUnsigned(high, other.high);
      order = order != 0 ? order : Long.compareUnsigned(low, other.low);
      return order != 0 ? order : port - other.port;
    }
  }

  private EndpointSet(Key[] keys, int[] weights, Algorithm algorithm) {
    this.keys = keys;
    this.endpoints = Arrays.stream(keys).map(Key::endpoint).toList();
    this.weights = weights;
    this.algorithm = algorithm;
    this.hash = 31 * (31 * endpoints.hashCode() + Arrays.hashCode(weights)) + algorithm.ordinal();
  }

  /** The same endpoints in the order of a set: sets are made faster of what has it. */
  public static List<InetSocketAddress> sorted(Collection<InetSocketAddress> endpoints) {
    return endpoints.stream().map(Key::of).sorted().map(Key::endpoint).toList();
  }

  /** These, with equal weights, by {@link Algorithm#MAGLEV}. */
  public static EndpointSet of(Collection<InetSocketAddress> endpoints) {
    Map<InetSocketAddress, Integer> weights = new LinkedHashMap<>();
    endpoints.forEach(endpoint -> weights.put(endpoint, 1));
    return of(weights, Algorithm.MAGLEV);
  }

  /** These with their weights, 1 to {@link #MAX_WEIGHT}. */
  public static EndpointSet of(Map<InetSocketAddress, Integer> weights, Algorithm algorithm) {
    Key[] keys = weights.keySet().stream().map(Key::of).sorted().toArray(Key[]::new);
    int[] numbers = new int[keys.length];
    for (int i = 0; i < keys.length; i++) {
      numbers[i] = weights.getOrDefault(keys[i].endpoint, 1);
    }
    int divisor = 0;
    for (int weight : numbers) {
      if (weight < 1 || weight > MAX_WEIGHT) {
        throw new IllegalArgumentException(
            "weight %d, expected 1 to %d".formatted(weight, MAX_WEIGHT));
      }
      divisor = gcd(weight, divisor);
    }
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] /= divisor;
    }
    return new EndpointSet(keys, numbers, algorithm);
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  /** In their order. */
  public List<InetSocketAddress> endpoints() {
    return endpoints;
  }

  /** Of the endpoint at {@code index}; only the ratios count. */
  public int weight(int index) {
    return weights[index];
  }

  public Algorithm algorithm() {
    return algorithm;
  }

  public int size() {
    return keys.length;
  }

  public boolean isEmpty() {
    return keys.length == 0;
  }

  public boolean contains(InetSocketAddress endpoint) {
    return Arrays.binarySearch(keys, Key.of(endpoint)) >= 0;
  }

  /** Those that {@code other} has not; in one walk through both. */
  @SuppressWarnings("ReferenceEquality") // the same one is the usual case
  List<InetSocketAddress> without(EndpointSet other) {
    if (this == other) {
      return List.of();
    }
    List<InetSocketAddress> left = new ArrayList<>();
    int at = 0;
    for (Key key : keys) {
      while (at < other.keys.length && other.keys[at].compareTo(key) < 0) {
        at++;
      }
      if (at == other.keys.length || other.keys[at].compareTo(key) != 0) {
        left.add(key.endpoint);
      }
    }
    return Collections.unmodifiableList(left);
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || (other instanceof EndpointSet set
            && hash == set.hash
            && algorithm == set.algorithm
            && Arrays.equals(weights, set.weights)
            && endpoints.equals(set.endpoints));
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return algorithm + " " + endpoints;
  }
}
