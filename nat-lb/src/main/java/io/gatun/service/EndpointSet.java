package io.gatun.service;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Endpoints that a new flow may be given, and how one of them is chosen. Immutable; sorted by
 * address and port, so that all nodes agree on the order; the hash is computed once, because a set
 * may have a hundred thousand members and is looked up at every change of its Service.
 */
public final class EndpointSet {
  /** Beyond this a weight is a mistake; it bounds the table that is made from the weights. */
  public static final int MAX_WEIGHT = 100;

  public static final EndpointSet EMPTY = of(List.of());

  private static final Comparator<InetSocketAddress> ORDER =
      Comparator.comparing(
              (InetSocketAddress e) -> e.getAddress().getAddress(), Arrays::compareUnsigned)
          .thenComparingInt(InetSocketAddress::getPort);

  private final List<InetSocketAddress> endpoints;
  private final int[] weights;
  private final Algorithm algorithm;
  private final int hash;

  private EndpointSet(List<InetSocketAddress> endpoints, int[] weights, Algorithm algorithm) {
    this.endpoints = endpoints;
    this.weights = weights;
    this.algorithm = algorithm;
    this.hash = 31 * (31 * endpoints.hashCode() + Arrays.hashCode(weights)) + algorithm.ordinal();
  }

  /** These, with equal weights, by {@link Algorithm#MAGLEV}. */
  public static EndpointSet of(Collection<InetSocketAddress> endpoints) {
    Map<InetSocketAddress, Integer> weights = new LinkedHashMap<>();
    endpoints.forEach(endpoint -> weights.put(endpoint, 1));
    return of(weights, Algorithm.MAGLEV);
  }

  /** These with their weights, 1 to {@link #MAX_WEIGHT}. */
  public static EndpointSet of(Map<InetSocketAddress, Integer> weights, Algorithm algorithm) {
    TreeMap<InetSocketAddress, Integer> sorted = new TreeMap<>(ORDER);
    sorted.putAll(weights);
    int[] numbers = sorted.values().stream().mapToInt(Integer::intValue).toArray();
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
    return new EndpointSet(new ArrayList<>(sorted.keySet()), numbers, algorithm);
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  /** In their order. */
  public List<InetSocketAddress> endpoints() {
    return java.util.Collections.unmodifiableList(endpoints);
  }

  /** Of the endpoint at {@code index}; only the ratios count. */
  public int weight(int index) {
    return weights[index];
  }

  public Algorithm algorithm() {
    return algorithm;
  }

  public int size() {
    return endpoints.size();
  }

  public boolean isEmpty() {
    return endpoints.isEmpty();
  }

  public boolean contains(InetSocketAddress endpoint) {
    return java.util.Collections.binarySearch(endpoints, endpoint, ORDER) >= 0;
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
