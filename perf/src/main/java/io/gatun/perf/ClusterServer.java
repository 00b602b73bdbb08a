package io.gatun.perf;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * An API server on a node's loopback, of whose lists and watches somebody else says what they hold:
 * no more than what it takes to bring a cluster to a daemon. Any thread may use it.
 */
final class ClusterServer implements AutoCloseable {
  static final int PORT = 16443;

  private static final String SERVICES = "/api/v1/services";
  private static final String SLICES = "/apis/discovery.k8s.io/v1/endpointslices";
  private static final byte[] NOTHING =
      "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"2\"},\"items\":[]}"
          .getBytes(StandardCharsets.UTF_8);

  /** That versions are forgotten: list anew. */
  private static final byte[] GONE =
      "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\"}}\n"
          .getBytes(StandardCharsets.UTF_8);

  private static final byte[] BEGIN =
      "{\"type\":\"MODIFIED\",\"object\":".getBytes(StandardCharsets.UTF_8);
  private static final byte[] END = "}\n".getBytes(StandardCharsets.UTF_8);

  private final HttpServer server;

  /** What those who watch slices have not been told yet; one queue each. */
  private final List<BlockingQueue<byte[]>> watches = new CopyOnWriteArrayList<>();

  /** Those who watch anything else, who are told only that it is over. */
  private final List<BlockingQueue<byte[]>> others = new CopyOnWriteArrayList<>();

  private volatile byte[] services;
  private volatile byte[] slices;

  /**
   * Listens in the network namespace of the calling thread.
   *
   * @param lists bodies of the lists of Services and EndpointSlices
   */
  ClusterServer(List<byte[]> lists) throws IOException {
    services = lists.getFirst();
    slices = lists.getLast();
    server = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), PORT), 0);
    server.createContext("/", this::handle);
    server.setExecutor(
        Executors.newCachedThreadPool(Thread.ofPlatform().name("api ", 0).daemon(true).factory()));
    server.start();
  }

  /** A kubeconfig that leads here. */
  static String kubeconfig() {
    return """
    apiVersion: v1
    kind: Config
    clusters: [{name: bench, cluster: {server: "http://127.0.0.1:%d"}}]
    users: [{name: bench, user: {token: bench}}]
    contexts: [{name: bench, context: {cluster: bench, user: bench}}]
    current-context: bench
    """
        .formatted(PORT);
  }

  /** Everything is another now; who watches has to list anew. */
  void replace(List<byte[]> lists) {
    services = lists.getFirst();
    slices = lists.getLast();
    watches.forEach(watch -> watch.add(GONE));
    others.forEach(watch -> watch.add(GONE));
  }

  /** Tells who watches that this slice is changed; the list stays as it was. */
  void changed(byte[] slice) {
    watches.forEach(watch -> watch.add(slice));
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      if (String.valueOf(exchange.getRequestURI().getQuery()).contains("watch=true")) {
        exchange.sendResponseHeaders(200, 0);
        watch(exchange.getResponseBody(), path.equals(SLICES) ? watches : others, path);
        return;
      }
      byte[] body =
          switch (path) {
            case SERVICES -> services;
            case SLICES -> slices;
            default -> NOTHING;
          };
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @SuppressWarnings("ReferenceEquality") // there is one GONE
  private static void watch(OutputStream out, List<BlockingQueue<byte[]>> all, String path)
      throws IOException, InterruptedException {
    BlockingQueue<byte[]> queue = new LinkedBlockingQueue<>();
    if (path.equals(SERVICES) || path.equals(SLICES)) { // of the rest there is nothing to tell
      all.add(queue);
    }
    try {
      out.flush();
      ByteArrayOutputStream events = new ByteArrayOutputStream();
      for (byte[] next = queue.take(); ; next = queue.take()) {
        while (next != null && next != GONE) {
          events.writeBytes(BEGIN);
          events.writeBytes(next);
          events.writeBytes(END);
          next = queue.poll();
        }
        events.writeBytes(next == GONE ? GONE : new byte[0]);
        events.writeTo(out);
        out.flush();
        if (next == GONE) {
          return;
        }
        events.reset();
      }
    } finally {
      all.remove(queue);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
