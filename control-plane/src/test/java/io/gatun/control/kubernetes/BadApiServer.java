package io.gatun.control.kubernetes;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * An API server in memory that lists and watches, and does whatever harm it is told to. Watches get
 * the events since their version, as long as it is kept.
 */
final class BadApiServer implements AutoCloseable {
  /** A harm: what to do instead of answering. Null is returned where it is not for this request. */
  @FunctionalInterface
  interface Harm {
    /** True when it has answered in its own way. */
    boolean does(HttpExchange exchange, boolean watch) throws IOException;
  }

  private record Event(long version, String line) {}

  private static final class Stream {
    final LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();
    volatile boolean cut;
  }

  private final Map<String, Map<String, String>> objects = new HashMap<>();
  private final Map<String, List<Event>> log = new HashMap<>();
  private final Map<String, List<Stream>> streams = new HashMap<>();
  private final List<String> requests = new ArrayList<>();
  private final @Nullable SSLContext identity;
  private HttpServer server;
  private final int port;
  private long version = 100;
  private long forgotten;
  private volatile @Nullable Harm harm;
  private volatile boolean silent;

  BadApiServer() throws IOException {
    this(null);
  }

  /** By TLS with {@code identity}, which a client may answer with its own; null: without. */
  BadApiServer(@Nullable SSLContext identity) throws IOException {
    this.identity = identity;
    server = start(0);
    port = server.getAddress().getPort();
  }

  private HttpServer start(int at) throws IOException {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), at);
    HttpServer started =
        identity == null ? HttpServer.create(address, 0) : secure(address, identity);
    started.createContext("/", this::handle);
    started.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    started.start();
    return started;
  }

  private static HttpServer secure(InetSocketAddress at, SSLContext identity) throws IOException {
    HttpsServer started = HttpsServer.create(at, 0);
    started.setHttpsConfigurator(
        new HttpsConfigurator(identity) {
          @Override
          public void configure(HttpsParameters parameters) {
            SSLParameters wanted = identity.getDefaultSSLParameters();
            wanted.setWantClientAuth(true);
            parameters.setSSLParameters(wanted);
          }
        });
    return started;
  }

  String url() {
    return (identity == null ? "http" : "https") + "://127.0.0.1:" + port;
  }

  /** From now on, until null. */
  void harm(@Nullable Harm wanted) {
    harm = wanted;
  }

  /** Connections are held and nothing is said. */
  void silent(boolean now) {
    silent = now;
  }

  /** Away: connections are refused, those there are cut. */
  synchronized void away() {
    cut();
    server.stop(0);
  }

  void back() throws IOException {
    server = start(port);
  }

  /** Ends every watch in the middle of what it says. */
  synchronized void cut() {
    streams.values().forEach(all -> all.forEach(stream -> stream.cut = true));
    streams.clear();
  }

  /** Versions before now are not kept any more. */
  synchronized void forget() {
    forgotten = version;
    log.clear();
  }

  synchronized List<String> requests() {
    return List.copyOf(requests);
  }

  synchronized void requestsClear() {
    requests.clear();
  }

  /** Puts {@code json}, an object whose metadata holds the text VERSION, under {@code path}. */
  synchronized void put(String path, String key, String json) {
    String now = json.replace("VERSION", String.valueOf(++version));
    String type =
        objects.computeIfAbsent(path, p -> new LinkedHashMap<>()).put(key, now) == null
            ? "ADDED"
            : "MODIFIED";
    tell(path, type, now);
  }

  synchronized void remove(String path, String key) {
    String was = objects.getOrDefault(path, new HashMap<>()).remove(key);
    if (was != null) {
      version++;
      tell(
          path,
          "DELETED",
          was.replaceFirst(
              "\"resourceVersion\":\"[0-9]+\"", "\"resourceVersion\":\"" + version + "\""));
    }
  }

  /** Says {@code line} to those who watch, and to nobody else. */
  synchronized void say(String path, String line) {
    streams.getOrDefault(path, List.of()).forEach(stream -> stream.lines.add(line));
  }

  private void tell(String path, String type, String object) {
    String line = "{\"type\":\"" + type + "\",\"object\":" + object + "}\n";
    log.computeIfAbsent(path, p -> new ArrayList<>()).add(new Event(version, line));
    say(path, line);
  }

  synchronized String object(String path, String key) {
    return objects.getOrDefault(path, Map.of()).getOrDefault(key, "");
  }

  private void handle(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String query = String.valueOf(exchange.getRequestURI().getQuery());
    boolean watch = query.contains("watch=true");
    synchronized (this) {
      requests.add(path + "?" + query);
    }
    try (exchange) {
      Harm wanted = harm;
      if (wanted != null && wanted.does(exchange, watch)) {
        return;
      }
      if (watch) {
        watch(exchange, path, query);
      } else {
        answer(exchange, 200, list(path));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static void answer(HttpExchange exchange, int code, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(code, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  synchronized String list(String path) {
    return "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"%d\"},\"items\":[%s]}"
        .formatted(version, String.join(",", objects.getOrDefault(path, Map.of()).values()));
  }

  private void watch(HttpExchange exchange, String path, String query)
      throws IOException, InterruptedException {
    long from = Long.parseLong(query.replaceFirst(".*[?&]?resourceVersion=([0-9]+).*", "$1"));
    Stream stream = new Stream();
    synchronized (this) {
      if (from < forgotten) {
        answer(
            exchange,
            200,
            "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\",\"message\":\"too old resource version\"}}\n");
        return;
      }
      for (Event event : log.getOrDefault(path, List.of())) {
        if (event.version > from) {
          stream.lines.add(event.line);
        }
      }
      streams.computeIfAbsent(path, p -> new ArrayList<>()).add(stream);
    }
    exchange.sendResponseHeaders(200, 0);
    OutputStream out = exchange.getResponseBody();
    try {
      out.flush();
      while (!stream.cut) {
        String line = stream.lines.poll(10, TimeUnit.MILLISECONDS);
        if (line != null && !silent) {
          out.write(line.getBytes(StandardCharsets.UTF_8));
          out.flush();
        }
      }
      out.write(
          "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Serv".getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException gone) {
      // the client went
    }
    throw new UncheckedIOException(new IOException("cut")); // no last chunk
  }

  @Override
  public synchronized void close() {
    cut();
    server.stop(0);
  }
}
