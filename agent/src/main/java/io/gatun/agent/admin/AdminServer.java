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
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
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
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path socket;
  private final Map<String, Supplier<Object>> reports;
  private final Map<String, Function<String, Object>> questions;
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
    this.socket = socket;
    this.reports = Map.copyOf(reports);
    this.questions = Map.copyOf(questions);
    if (AdminClient.answers(socket)) {
      throw new IOException(socket + ": another gatun answers here; stop it first (gatun stop)");
    }
    Files.createDirectories(socket.toAbsolutePath().getParent());
    Files.deleteIfExists(socket);
    channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    channel.bind(UnixDomainSocketAddress.of(socket));
    Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
    Thread.ofVirtual().name("admin").start(this::accept);
  }

  private void accept() {
    while (true) {
      try {
        SocketChannel client = channel.accept();
        Thread.ofVirtual().start(() -> serve(client));
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        LOG.log(Level.WARNING, "admin socket: {0}", e.getMessage());
      }
    }
  }

  private void serve(SocketChannel client) {
    try (client) {
      String request = readLine(client);
      Object answer = answer(request);
      ByteBuffer out = ByteBuffer.wrap(JSON.writeValueAsBytes(answer));
      while (out.hasRemaining()) {
        client.write(out);
      }
    } catch (IOException e) {
      LOG.log(Level.FINE, "admin request: {0}", e.getMessage());
    } catch (RuntimeException e) {
      LOG.log(Level.WARNING, "admin request failed", e);
    }
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
