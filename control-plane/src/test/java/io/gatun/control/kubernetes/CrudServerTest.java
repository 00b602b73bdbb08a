package io.gatun.control.kubernetes;

import static io.gatun.control.kubernetes.Objects.SERVICES;
import static io.gatun.control.kubernetes.Objects.SLICES;
import static io.gatun.control.kubernetes.Objects.service;
import static io.gatun.control.kubernetes.Objects.slice;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import io.gatun.control.HeapRoom;
import io.gatun.control.model.ObjectName;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Objects that somebody else's client writes into somebody else's server. That one tells watches by
 * WebSocket only, so a few lines here make an HTTP stream of it, which real servers do themselves.
 */
@Timeout(60)
final class CrudServerTest {
  private final KubernetesMockServer mock =
      new KubernetesMockServer(
          new Context(),
          new MockWebServer(),
          new HashMap<>(),
          new KubernetesCrudDispatcher(),
          false);

  @TempDir private Path directory;
  private HttpServer front;
  private final HttpClient http = HttpClient.newHttpClient();

  @BeforeEach
  void start() throws IOException {
    mock.init();
    front = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    front.createContext("/", this::pass);
    front.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    front.start();
  }

  @AfterEach
  void stop() {
    front.stop(0);
    http.shutdownNow();
    mock.destroy();
  }

  private void pass(HttpExchange exchange) throws IOException {
    String uri = exchange.getRequestURI().toString();
    String at = "127.0.0.1:" + mock.getPort() + uri;
    try (exchange) {
      if (uri.contains("watch=true")) {
        LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();
        http.newWebSocketBuilder().buildAsync(URI.create("ws://" + at), new ToLines(lines)).join();
        exchange.sendResponseHeaders(200, 0);
        OutputStream out = exchange.getResponseBody();
        out.flush();
        while (true) {
          out.write((lines.take() + "\n").getBytes(StandardCharsets.UTF_8));
          out.flush();
        }
      }
      HttpResponse<byte[]> response =
          http.send(
              HttpRequest.newBuilder(URI.create("http://" + at)).build(),
              HttpResponse.BodyHandlers.ofByteArray());
      exchange.sendResponseHeaders(response.statusCode(), response.body().length);
      exchange.getResponseBody().write(response.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private record ToLines(LinkedBlockingQueue<String> lines, StringBuilder text)
      implements WebSocket.Listener {
    ToLines(LinkedBlockingQueue<String> lines) {
      this(lines, new StringBuilder());
    }

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        lines.add(text.toString());
        text.setLength(0);
      }
      socket.request(1);
      return CompletableFuture.completedStage(null);
    }
  }

  /** As any client writes: made, or replaced where it is there. */
  private void put(String path, String name, String json) {
    String object = json.replace("\"resourceVersion\":\"VERSION\",", "");
    String folder = path.replace("/v1/", "/v1/namespaces/default/");
    if (send("PUT", folder + "/" + name, object) == 404) {
      assertEquals(2, send("POST", folder, object) / 100);
    }
  }

  private int send(String method, String path, String body) {
    try {
      return http.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + mock.getPort() + path))
                  .header("Content-Type", "application/json")
                  .method(method, HttpRequest.BodyPublishers.ofString(body))
                  .build(),
              HttpResponse.BodyHandlers.discarding())
          .statusCode();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void shouldFollowWhatAnotherClientWrites() {
    put(SERVICES, "web", service("web", 80));
    put(SLICES, "web-abcde", slice("web", "10.244.1.5"));
    try (ClusterSource source =
        new ClusterSource(
            ApiServer.at("http://127.0.0.1:" + front.getAddress().getPort(), ApiObserver.NONE),
            "node-1",
            "",
            new StateFile(directory.resolve("objects.json"), "crud"),
            () -> {},
            ApiObserver.NONE,
            HeapRoom.plenty(),
            new Timing(10, 200, 60, 30_000, 1000))) {
      source.start();
      ObjectName web = new ObjectName("default", "web");
      await(source, () -> source.objects().slicesOf(web).size() == 1);
      assertEquals(
          80,
          Objects.requireNonNull(source.objects().services().get(web)).ports().getFirst().port());
      put(SLICES, "web-abcde", slice("web", "10.244.1.5", "10.244.1.6"));
      await(source, () -> source.objects().slicesOf(web).getFirst().endpoints().size() == 2);
      put(SERVICES, "dns", service("dns", 10));
      await(source, () -> source.objects().services().size() == 2);
      assertEquals(200, send("DELETE", "/api/v1/namespaces/default/services/web", ""));
      await(source, () -> !source.objects().services().containsKey(web));
    }
  }

  private static void await(ClusterSource source, BooleanSupplier holds) {
    long end = System.nanoTime() + 20_000_000_000L;
    while (!holds.getAsBoolean()) {
      source.poll(System.nanoTime());
      assertTrue(System.nanoTime() < end, () -> "never came; " + source.refusal());
      try {
        Thread.sleep(2);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
