package io.gatun.perf;

import io.gatun.lab.Node;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A client that asks a server of another namespace from a port that it never used before, and at
 * once again from the same one: the first packet of a flow, and one of an established flow. One
 * request at a time, by blocking sockets, as clients do it. One thread.
 */
final class FirstPackets implements AutoCloseable {
  private static final int FIRST_PORT = 2000;
  private static final int PORTS = 60_000;
  private static final int PATIENCE_MILLIS = 2000;

  /** Sockets are closed so many at a time, between measurements. */
  private static final int OPEN = 1000;

  /** The kernel frees a closed socket later, in soft interrupts of up to 70 µs (RCU). */
  private static final Duration FREED = Duration.ofMillis(50);

  private final NamespaceThread client;
  private final NamespaceThread server;
  private final DatagramSocket listening;
  private final InetSocketAddress front;

  /** The next source: addresses one after the other, all ports of each. */
  private int next;

  private final String[] sources;

  /**
   * Serves at once.
   *
   * @param sources the client's addresses, {@value #PORTS} questions each
   * @param endpoint where the server listens
   * @param front what the client asks
   */
  FirstPackets(
      Node clientNode,
      String[] sources,
      Node serverNode,
      InetSocketAddress endpoint,
      InetSocketAddress front)
      throws IOException {
    this.sources = sources;
    this.front = front;
    client = new NamespaceThread(clientNode);
    server = new NamespaceThread(serverNode);
    listening = server.call(() -> new DatagramSocket(endpoint));
    var _ =
        server.start(() -> {
          DatagramPacket packet = new DatagramPacket(new byte[64], 64);
          while (true) { // until the socket is closed
            listening.receive(packet);
            listening.send(packet);
          }
        });
  }

  /** Microseconds there and back, sorted. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Times(double[] first, double[] second, double[] added) {
    Times sorted() {
      Arrays.sort(first);
      Arrays.sort(second);
      Arrays.sort(added);
      return this;
    }

    static double quantile(double[] sorted, double part) {
      return sorted[(int) Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
    }
  }

  /** So many flows, each begun and used once more. */
  Times measure(int flows) throws IOException {
    return client.call(() -> {
      Times times = new Times(new double[flows], new double[flows], new double[flows]);
      for (int i = 0; i < flows; i += OPEN) {
        some(times, i, Math.min(flows, i + OPEN));
        Thread.sleep(FREED);
      }
      return times.sorted();
    });
  }

  /** Those from {@code first} until before {@code end}. */
  private void some(Times times, int first, int end) throws IOException {
    List<DatagramSocket> open = new ArrayList<>(end - first);
    try {
      for (int i = first; i < end; i++) {
        InetAddress source = InetAddress.ofLiteral(sources[next / PORTS % sources.length]);
        int port = FIRST_PORT + next++ % PORTS;
        DatagramSocket socket = new DatagramSocket(new InetSocketAddress(source, port));
        open.add(socket);
        flow(socket, times, i);
      }
    } finally {
      open.forEach(DatagramSocket::close);
    }
  }

  private void flow(DatagramSocket socket, Times times, int i) throws IOException {
    socket.setSoTimeout(PATIENCE_MILLIS);
    socket.connect(front);
    DatagramPacket question = new DatagramPacket(new byte[18], 18);
    DatagramPacket answer = new DatagramPacket(new byte[64], 64);
    times.first[i] = roundTrip(socket, question, answer);
    times.second[i] = roundTrip(socket, question, answer);
    times.added[i] = times.first[i] - times.second[i];
  }

  private static double roundTrip(
      DatagramSocket socket, DatagramPacket question, DatagramPacket answer) throws IOException {
    long start = System.nanoTime();
    socket.send(question);
    socket.receive(answer);
    return (System.nanoTime() - start) / 1e3;
  }

  @Override
  public void close() {
    listening.close();
    client.close();
    server.close();
  }
}
