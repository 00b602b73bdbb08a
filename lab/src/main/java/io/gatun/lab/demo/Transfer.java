package io.gatun.lab.demo;

import io.gatun.lab.Node;
import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * Random bytes through a Service and as many back over the same connection, with a SHA-256 taken at
 * each end; immutable result.
 *
 * <pre>{@code
 * Transfer.serve(topology);                                   // in the pod "stream", behind "bulk"
 * Transfer transfer = Transfer.through(topology, topology.pod("client-a"), Cluster.BULK, 1L << 30);
 * assertTrue(transfer.intact(), transfer::toString);
 * }</pre>
 *
 * @param bytes each way
 * @param there from client to server
 * @param back from server to client
 * @param checksumErrors that all kernels of the lab counted meanwhile, by {@code nstat}
 */
public record Transfer(long bytes, Way there, Way back, long checksumErrors) {

  /** One direction: the SHA-256 at both ends, and how long it took. */
  public record Way(String sent, String arrived, Duration time) {
    boolean intact() {
      return sent.length() == 64 && sent.equals(arrived);
    }
  }

  /** A slow dataplane on a busy machine still does 10 MB/s. */
  private static final long SLOWEST_BYTES_PER_SECOND = 10_000_000;

  /** Starts the server in the pod behind the Service {@code bulk}. */
  public static void serve(TwoNodes topology) throws IOException {
    Pod pod = topology.pod("stream");
    Servers.python(topology, pod, "transfer", "serve", Integer.toString(Cluster.BULK_PORT));
    pod.node().awaitListening(Cluster.BULK_PORT);
  }

  /**
   * Transfers, and waits for the end.
   *
   * @param address of the Service, port {@link Cluster#BULK_PORT}
   */
  public static Transfer through(TwoNodes topology, Pod client, String address, long bytes)
      throws IOException {
    long errorsBefore = checksumErrors(topology);
    String[] words =
        Servers.pythonWords(
            topology,
            "transfer",
            "send",
            address,
            Integer.toString(Cluster.BULK_PORT),
            Long.toString(bytes));
    List<String> lines =
        client
            .node()
            .command(words)
            .within(Duration.ofSeconds(30 + 2 * bytes / SLOWEST_BYTES_PER_SECOND))
            .run()
            .orThrow()
            .output()
            .lines()
            .toList();
    if (lines.size() != 2) {
      throw new IOException("transfer: expected two lines, got " + lines);
    }
    return new Transfer(
        bytes, way(lines.get(0)), way(lines.get(1)), checksumErrors(topology) - errorsBefore);
  }

  /** What arrived is what was sent, both ways, and no kernel saw a wrong checksum. */
  public boolean intact() {
    return there.intact() && back.intact() && checksumErrors == 0;
  }

  @Override
  public String toString() {
    return "%d bytes there %s in %s, back %s in %s, %d checksum errors"
        .formatted(bytes, same(there), rate(there), same(back), rate(back), checksumErrors);
  }

  private static String same(Way way) {
    return way.intact() ? "intact" : way.sent() + " became " + way.arrived();
  }

  private String rate(Way way) {
    double seconds = Math.max(1, way.time().toMillis()) / 1e3;
    return String.format(Locale.ROOT, "%.2f s (%.0f MB/s)", seconds, bytes / seconds / 1e6);
  }

  private static Way way(String line) {
    String[] words = line.split(" ", -1);
    return new Way(words[0], words[1], Duration.ofMillis(Long.parseLong(words[2])));
  }

  private static long checksumErrors(TwoNodes topology) throws IOException {
    long errors = 0;
    for (Node node : topology.lab().nodes()) {
      errors += Counters.of(node).checksumErrors();
    }
    return errors;
  }
}
