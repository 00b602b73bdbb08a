package io.gatun.agent.health;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import io.gatun.control.document.Addresses;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** One address at which a few paths are answered, each request on a virtual thread. */
public final class HttpEndpoint implements AutoCloseable {
  /** Ends what was opened. */
  @FunctionalInterface
  public interface Closing extends AutoCloseable {
    @Override
    void close();
  }

  private static final System.Logger LOG = System.getLogger("gatun.health");
  private static final int RETRY_SECONDS = 5;

  static {
    // The network may ask here, and the JDK's server has no bounds of its own: who sends a request
    // byte by byte, or none, would keep a descriptor for ever. Read once, with the first server.
    bound("sun.net.httpserver.maxReqTime", 5); // seconds
    bound("sun.net.httpserver.maxRspTime", 30);
    bound("sun.net.httpserver.idleInterval", 10);
    bound("jdk.httpserver.maxConnections", 512);
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  private static void bound(String property, int value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, Integer.toString(value));
    }
  }

  /**
   * Answers from now on; a path that is not there is 404, a method other than GET and HEAD 405.
   *
   * @throws IOException when the address cannot be bound
   */
  public HttpEndpoint(InetSocketAddress address, Map<String, HttpHandler> paths)
      throws IOException {
    server = HttpServer.create(address, 0);
    server.createContext("/", exchange -> answer(exchange, paths));
    server.setExecutor(threads);
    server.start();
  }

  /**
   * The same, tried every five seconds while the address is somebody else's: a predecessor's, or
   * kube-proxy's. Closing ends that too.
   */
  public static Closing open(InetSocketAddress address, Map<String, HttpHandler> paths) {
    AtomicReference<@Nullable HttpEndpoint> bound = new AtomicReference<>();
    Thread opener =
        Thread.ofVirtual()
            .start(() -> {
              boolean said = false;
              while (!Thread.currentThread().isInterrupted()) {
                try {
                  bound.set(new HttpEndpoint(address, paths));
                  return;
                } catch (IOException e) {
                  if (!said) {
                    LOG.log(
                        Level.WARNING,
                        "{0}: {1}; tried again every {2} s",
                        Addresses.text(address),
                        e.getMessage(),
                        RETRY_SECONDS);
                  }
                  said = true;
                }
                try {
                  TimeUnit.SECONDS.sleep(RETRY_SECONDS);
                } catch (InterruptedException e) {
                  return;
                }
              }
            });
    return () -> {
      opener.interrupt();
      try {
        opener.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      HttpEndpoint endpoint = bound.get();
      if (endpoint != null) {
        endpoint.close();
      }
    };
  }

  private static void answer(HttpExchange exchange, Map<String, HttpHandler> paths)
      throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      HttpHandler handler = paths.getOrDefault(path, paths.get("*"));
      if (!exchange.getRequestMethod().equals("GET")
          && !exchange.getRequestMethod().equals("HEAD")) {
        exchange.sendResponseHeaders(405, -1);
      } else if (handler == null) {
        exchange.sendResponseHeaders(404, -1);
      } else {
        handler.handle(exchange);
      }
    }
  }

  /** Sends {@code body}; for HEAD only its length. */
  public static void send(HttpExchange exchange, int code, String type, byte[] body)
      throws IOException {
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(code, -1);
    } else {
      exchange.sendResponseHeaders(code, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  /** Where it answers, with the port that port 0 became. */
  public InetSocketAddress address() {
    return server.getAddress();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
