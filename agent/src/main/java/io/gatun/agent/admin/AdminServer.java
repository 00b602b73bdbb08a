package io.gatun.agent.admin;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * Answers admin requests on virtual threads, away from workers and control thread. Reports are read
 * from counters and published tables, so they cost the data path nothing.
 */
public final class AdminServer implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(AdminServer.class.getName());
  private static final int LONGEST_REQUEST = 4 << 20;

  /** Served at once: each may take twice the longest request and its answer. */
  private static final int CLIENTS = 16;

  /** From the connection to the end of the request. */
  private static final Duration ASKING = Duration.ofSeconds(5);

  /** From there to the end of the answer: a million flows take a few seconds. */
  private static final Duration ANSWERING = Duration.ofSeconds(60);

  private static final Duration PAUSE = Duration.ofMillis(100);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path socket;
  private final Map<String, Supplier<Object>> reports;
  private final Map<String, Function<String, Object>> questions;
  private final Duration asking;
  private final Semaphore places = new Semaphore(CLIENTS);
  private final ServerSocketChannel channel;

  /**
   * Listens at {@code socket}. A socket file that a dead daemon left is replaced; a living one is
   * not ours to take.
   */
  public AdminServer(Path socket, Map<String, Supplier<Object>> reports) throws IOException {
    this(socket, reports, Map.of());
  }

  /** The same with {@code questions}: requests that have an argument after a blank. */
  public AdminServer(
      Path socket,
      Map<String, Supplier<Object>> reports,
      Map<String, Function<String, Object>> questions)
      throws IOException {
    this(socket, reports, questions, ASKING);
  }

  /** The same for clients that have asked within {@code asking}. */
  AdminServer(
      Path socket,
      Map<String, Supplier<Object>> reports,
      Map<String, Function<String, Object>> questions,
      Duration asking)
      throws IOException {
    this.socket = socket;
    this.asking = asking;
    this.reports = Map.copyOf(reports);
    this.questions = Map.copyOf(questions);
    if (AdminClient.answers(socket)) {
      throw new IOException(socket + ": another gatun answers here; stop it first (gatun stop)");
    }
    Files.createDirectories(socket.toAbsolutePath().getParent());
    Files.deleteIfExists(socket);
    channel = listen(socket);
    Thread.ofVirtual().name("admin").start(this::accept);
  }

  /** Nobody else may connect, not even between bind(2) and chmod(2). */
  private static ServerSocketChannel listen(Path socket) throws IOException {
    Path folder =
        socket.resolveSibling(".a" + ProcessHandle.current().pid()); // sun_path is 108 bytes
    Files.deleteIfExists(folder.resolve("s"));
    Files.deleteIfExists(folder);
    Files.createDirectory(
        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      Path name = folder.resolve("s");
      channel.bind(UnixDomainSocketAddress.of(name));
      Files.setPosixFilePermissions(name, PosixFilePermissions.fromString("rw-------"));
      Files.move(name, socket, StandardCopyOption.ATOMIC_MOVE);
      Files.delete(folder);
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private void accept() {
    boolean said = false;
    try {
      while (channel.isOpen()) {
        places.acquire(); // the others wait in the kernel's queue
        SocketChannel client = null;
        try {
          client = channel.accept();
          said = false;
        } catch (ClosedChannelException e) {
          return;
        } catch (IOException e) {
          if (!said) {
            LOG.log(Level.WARNING, "admin socket: {0}", e.getMessage());
          }
          said = true;
          Thread.sleep(PAUSE); // out of descriptors: the next one would fail at once
        }
        if (client == null) {
          places.release();
        } else {
          SocketChannel accepted = client;
          Thread.ofVirtual().start(() -> serve(accepted));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void serve(SocketChannel client) {
    try (client) {
      Thread limit = closeAfter(asking, client);
      String request = readLine(client);
      limit.interrupt();
      limit = closeAfter(ANSWERING, client);
      ByteBuffer out = ByteBuffer.wrap(JSON.writeValueAsBytes(answer(request)));
      while (out.hasRemaining()) {
        client.write(out);
      }
      limit.interrupt();
    } catch (IOException e) {
      LOG.log(Level.FINE, "admin request: {0}", e.getMessage());
    } catch (RuntimeException e) {
      LOG.log(Level.WARNING, "admin request failed", e);
    } finally {
      places.release();
    }
  }

  /** Who neither asks nor reads does not keep its place; closing twice does nothing. */
  private static Thread closeAfter(Duration patience, SocketChannel client) {
    return Thread.ofVirtual()
        .start(() -> {
          try {
            Thread.sleep(patience);
            client.close();
          } catch (InterruptedException e) {
            // It was in time.
          } catch (IOException e) {
            LOG.log(Level.FINE, "admin request: {0}", e.getMessage());
          }
        });
  }

  private Object answer(String request) {
    Supplier<Object> report = reports.get(request);
    if (report != null) {
      return report.get();
    }
    int blank = request.indexOf(' ');
    Function<String, Object> question =
        blank < 0 ? null : questions.get(request.substring(0, blank));
    if (question != null) {
      return question.apply(request.substring(blank + 1));
    }
    String shown = request.substring(0, Math.min(request.length(), 80));
    return Map.of("error", "unknown request \"" + shown + "\", expected one of " + names());
  }

  private String names() {
    return Stream.concat(reports.keySet().stream(), questions.keySet().stream())
        .sorted()
        .toList()
        .toString();
  }

  private static String readLine(SocketChannel client) throws IOException {
    ByteBuffer in = ByteBuffer.allocate(4096);
    while (client.read(in) >= 0) {
      if (in.position() > 0 && in.get(in.position() - 1) == '\n') {
        break;
      }
      if (!in.hasRemaining()) {
        if (in.capacity() >= LONGEST_REQUEST) {
          break;
        }
        in = ByteBuffer.allocate(4 * in.capacity()).put(in.flip());
      }
    }
    return new String(in.array(), 0, in.position(), StandardCharsets.UTF_8).strip();
  }

  @Override
  public void close() throws IOException {
    channel.close();
    Files.deleteIfExists(socket);
  }
}
