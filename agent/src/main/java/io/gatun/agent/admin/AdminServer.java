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
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Answers admin requests on virtual threads, away from workers and control thread. Reports are read
 * from counters and published tables, so they cost the data path nothing.
 */
public final class AdminServer implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(AdminServer.class.getName());
  private static final int LONGEST_REQUEST = 256;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path socket;
  private final Map<String, Supplier<Object>> reports;
  private final ServerSocketChannel channel;

  /**
   * Listens at {@code socket}. A socket file that a dead daemon left is replaced; a living one is
   * not ours to take.
   */
  public AdminServer(Path socket, Map<String, Supplier<Object>> reports) throws IOException {
    this.socket = socket;
    this.reports = Map.copyOf(reports);
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
      Supplier<Object> report = reports.get(request);
      Object answer =
          report == null
              ? Map.of("error", "unknown request \"" + request + "\", expected one of " + names())
              : report.get();
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

  private String names() {
    return reports.keySet().stream().sorted().toList().toString();
  }

  private static String readLine(SocketChannel client) throws IOException {
    ByteBuffer in = ByteBuffer.allocate(LONGEST_REQUEST);
    while (in.hasRemaining() && client.read(in) >= 0) {
      if (in.position() > 0 && in.get(in.position() - 1) == '\n') {
        break;
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
