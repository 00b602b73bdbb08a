package io.gatun.ffm.unix;

import io.gatun.ffm.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** A name in the file system that others connect to; {@link #close} may be called by any thread. */
public final class UnixListener implements AutoCloseable {
  private static final int BACKLOG = 4;

  private final Path path;
  private final int fd;
  private volatile boolean closed;

  private UnixListener(Path path, int fd) {
    this.path = path;
    this.fd = fd;
  }

  /** Listens at {@code path}, mode 0600, in the place of whoever was there. */
  public static UnixListener at(Path path) throws IOException {
    Files.deleteIfExists(path);
    int fd = UnixStream.socket();
    try (Arena arena = Arena.ofConfined()) {
      int result = Libc.bind(fd, UnixStream.address(arena, path), 110);
      UnixStream.check(result, "bind to " + path);
      // Before listen: until then nobody can connect.
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
      UnixStream.check(Libc.listen(fd, BACKLOG), "listen at " + path);
      return new UnixListener(path, fd);
    } catch (IOException e) {
      Libc.close(fd);
      throw e;
    }
  }

  /** Waits for the next connection; an exception when the listener was closed. */
  public UnixStream accept() throws IOException {
    int connection = Libc.accept(fd, Libc.SOCK_CLOEXEC);
    UnixStream.check(connection, "accept at " + path);
    return new UnixStream(connection);
  }

  public boolean isClosed() {
    return closed;
  }

  /** Ends a waiting {@link #accept} and removes the name. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    Libc.shutdown(fd, Libc.SHUT_RDWR);
    Libc.close(fd);
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      // It names nobody any more.
    }
  }
}
