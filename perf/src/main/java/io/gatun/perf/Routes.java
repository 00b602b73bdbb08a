package io.gatun.perf;

import io.gatun.control.document.Addresses;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Routes to measure with, of one family, and addresses to look up. An address is two longs, an IPv4
 * one the first 32 bits of {@code high}.
 */
final class Routes {
  private static final long SEED = 20261121;

  /** What a leaf of ours can hold; every peer can hold more. */
  private static final int NEXT_HOPS = 32_767;

  record Route(long high, long low, int length, int nextHop) {}

  private final int bits;
  private final List<Route> routes;

  private Routes(int bits, List<Route> routes) {
    this.bits = bits;
    this.routes = routes;
  }

  boolean isIpv6() {
    return bits == 128;
  }

  List<Route> list() {
    return routes;
  }

  /** {@code count} different ones, all lengths alike as far as there are that many prefixes. */
  static Routes random(int bits, int count) {
    Random random = new Random(SEED);
    List<Route> routes = new ArrayList<>(count);
    int remaining = count;
    for (int length = 1; length <= bits && remaining > 0; length++) {
      long share = remaining / (bits - length + 1);
      if (length < 31) {
        share = Math.min(share, 1L << length);
      }
      Set<List<Long>> known = new HashSet<>();
      while (known.size() < share) {
        long high = random.nextLong() & mask(length);
        long low = random.nextLong() & mask(length - 64);
        if (known.add(List.of(high, low))) {
          routes.add(new Route(high, low, length, 1 + random.nextInt(NEXT_HOPS)));
        }
      }
      remaining -= (int) share;
    }
    return new Routes(bits, routes);
  }

  /** {@code PREFIX NEXTHOP} a line, plain or {@code .xz}; next hops are taken modulo 32,767. */
  static Routes read(Path file) throws IOException {
    List<Route> routes = new ArrayList<>();
    int bits = 0;
    int number = 0;
    try (BufferedReader lines = open(file)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (line.isBlank()) {
          continue;
        }
        String[] words = line.strip().split("[ /\\t]+", -1);
        InetAddress address = words.length == 3 ? Addresses.parse(words[0]) : null;
        if (address == null || !words[1].matches("\\d{1,3}") || !words[2].matches("\\d{1,9}")) {
          throw bad(file, number, line, "PREFIX/LENGTH NEXTHOP");
        }
        int width = address.getAddress().length * 8;
        int length = Integer.parseInt(words[1]);
        if (length > width || (bits != 0 && bits != width)) {
          throw bad(file, number, line, "prefixes of one family, no longer than its addresses");
        }
        bits = width;
        long[] key = key(address);
        int hop = 1 + Integer.parseInt(words[2]) % NEXT_HOPS;
        routes.add(new Route(key[0] & mask(length), key[1] & mask(length - 64), length, hop));
      }
    }
    if (routes.isEmpty()) {
      throw new IOException(file + ": no routes");
    }
    return new Routes(bits, routes);
  }

  /** One address a line. */
  static long[][] readAddresses(Path file) throws IOException {
    List<long[]> keys = new ArrayList<>();
    try (BufferedReader lines = open(file)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        InetAddress address = Addresses.parse(line.strip());
        if (address == null) {
          throw bad(file, keys.size() + 1, line, "an address");
        }
        keys.add(key(address));
      }
    }
    return keys.toArray(long[][]::new);
  }

  private static IOException bad(Path file, int number, String line, String expected) {
    String shown = line.length() > 60 ? line.substring(0, 60) + "…" : line;
    return new IOException(
        "%s:%d: got \"%s\", expected %s".formatted(file, number, shown, expected));
  }

  private static BufferedReader open(Path file) throws IOException {
    if (!file.toString().endsWith(".xz")) {
      return Files.newBufferedReader(file);
    }
    if (!Files.isReadable(file)) {
      throw new IOException(file + ": no such file, or not readable");
    }
    return new ProcessBuilder("xz", "-dc", file.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()
        .inputReader(StandardCharsets.US_ASCII);
  }

  /**
   * Addresses spread evenly: over everything for IPv4, over the routes for IPv6, of whose addresses
   * hardly any has a route.
   */
  long[][] uniform(int count) {
    Random random = new Random(SEED + 1);
    long[][] addresses = new long[count][];
    for (int i = 0; i < count; i++) {
      addresses[i] =
          isIpv6()
              ? within(routes.get(random.nextInt(routes.size())), random)
              : new long[] {random.nextLong() & mask(32), 0};
    }
    return addresses;
  }

  /** Addresses in routes whose popularity is by Zipf's law with exponent 1. */
  long[][] zipf(int count) {
    Random random = new Random(SEED + 2);
    int[] ranked = new Random(SEED + 3).ints(routes.size(), 0, routes.size()).toArray();
    double[] cumulated = new double[routes.size()];
    double sum = 0;
    for (int i = 0; i < cumulated.length; i++) {
      sum += 1.0 / (i + 1);
      cumulated[i] = sum;
    }
    long[][] addresses = new long[count][];
    for (int i = 0; i < count; i++) {
      int rank = Arrays.binarySearch(cumulated, random.nextDouble() * sum);
      rank = Math.min(rank < 0 ? -rank - 1 : rank, ranked.length - 1);
      addresses[i] = within(routes.get(ranked[rank]), random);
    }
    return addresses;
  }

  private long[] within(Route route, Random random) {
    long high = route.high | (random.nextLong() & ~mask(route.length));
    long low = route.low | (random.nextLong() & ~mask(route.length - 64));
    return isIpv6() ? new long[] {high, low} : new long[] {high & mask(32), 0};
  }

  void write(Path file) throws IOException {
    try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(file))) {
      for (Route route : routes) {
        out.printf("%s/%d %d%n", text(route.high, route.low), route.length, route.nextHop);
      }
    }
  }

  void writeAddresses(long[][] addresses, Path file) throws IOException {
    try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(file))) {
      for (long[] address : addresses) {
        out.println(text(address[0], address[1]));
      }
    }
  }

  private String text(long high, long low) {
    ByteBuffer bytes = ByteBuffer.allocate(16).putLong(high).putLong(low);
    byte[] address = new byte[bits / 8];
    bytes.get(0, address);
    return Addresses.of(address).getHostAddress();
  }

  private static long[] key(InetAddress address) {
    ByteBuffer bytes = ByteBuffer.allocate(16).put(address.getAddress());
    return new long[] {bytes.getLong(0), bytes.getLong(8)};
  }

  private static long mask(int bits) {
    return bits <= 0 ? 0 : bits >= 64 ? -1L : -1L << (64 - bits);
  }

  /** Of the routes of a table that has {@code file} or that many random ones. */
  static Routes of(@Nullable Path file, boolean ipv6, int count) throws IOException {
    return file == null ? random(ipv6 ? 128 : 32, count) : read(file);
  }
}
