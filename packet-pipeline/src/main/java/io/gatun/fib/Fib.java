package io.gatun.fib;

import io.gatun.fib.lpm.Lpm4;
import io.gatun.fib.lpm.Lpm6;
import io.gatun.fib.lpm.Retirement;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * Routes of both families and the adjacencies that they name. One writer (the control thread), many
 * readers ({@link RouteStage}). Addresses are without zone; bits beyond the prefix are ignored.
 */
public final class Fib implements AutoCloseable {
  private final AdjacencyTable adjacencies;
  private final Lpm4 routes4;
  private final Lpm6 routes6;

  /** Grows with every change of a route, after the change: see {@link WayOut}. */
  private volatile long generation = 1;

  private volatile SourceChecks sourceChecks = SourceChecks.NONE;

  /** Room for {@code adjacencies} next hops; routes are not limited. */
  public Fib(int adjacencies, Retirement retirement) {
    this.adjacencies = new AdjacencyTable(adjacencies, retirement);
    routes4 = new Lpm4("routes4", retirement);
    routes6 = new Lpm6("routes6", retirement);
  }

  public AdjacencyTable adjacencies() {
    return adjacencies;
  }

  /** Adds the route to {@code prefix/length} or sends it to another adjacency. */
  public void put(InetAddress prefix, int length, int adjacency) {
    byte[] bytes = prefix.getAddress();
    if (bytes.length == 4) {
      routes4.add(key4(bytes, length), length, adjacency);
    } else {
      ByteBuffer words = ByteBuffer.wrap(bytes);
      routes6.add(
          masked(words.getLong(), length), masked(words.getLong(), length - 64), length, adjacency);
    }
    changed();
  }

  /** True when the route was there. */
  public boolean remove(InetAddress prefix, int length) {
    boolean removed = withdraw(prefix.getAddress(), length);
    changed();
    return removed;
  }

  private boolean withdraw(byte[] bytes, int length) {
    if (bytes.length == 4) {
      return routes4.remove(key4(bytes, length), length);
    }
    ByteBuffer words = ByteBuffer.wrap(bytes);
    return routes6.remove(
        masked(words.getLong(), length), masked(words.getLong(), length - 64), length);
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
  private void changed() {
    generation++;
  }

  /** Readers: to be read once a vector, before any route; who sees it sees the change as well. */
  long generation() {
    return generation;
  }

  /** Which ports' packets have to come from where routes lead; the writer's. */
  public void sourceChecks(SourceChecks checks) {
    sourceChecks = checks;
  }

  /** Readers: to be read once a vector. */
  public SourceChecks sourceChecks() {
    return sourceChecks;
  }

  /** Number of the adjacency for {@code address}, 0 for no route; for the control side. */
  public int lookup(InetAddress address) {
    ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
    return bytes.capacity() == 4
        ? routes4.lookup(bytes.getInt())
        : routes6.lookup(bytes.getLong(), bytes.getLong());
  }

  /** Number of routes of both families. */
  public int size() {
    return routes4.size() + routes6.size();
  }

  Lpm4 routes4() {
    return routes4;
  }

  Lpm6 routes6() {
    return routes6;
  }

  private static int key4(byte[] address, int length) {
    long word = (long) ByteBuffer.wrap(address).getInt() << 32;
    return (int) (masked(word, length) >>> 32);
  }

  private static long masked(long word, int bits) {
    return bits <= 0 ? 0 : bits >= 64 ? word : word & (-1L << (64 - bits));
  }

  /** Frees the memory; no reader may be left. */
  @Override
  public void close() {
    adjacencies.close();
    routes4.close();
    routes6.close();
  }
}
