package io.gatun.ffm.unix;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/** A connection that carries bytes and descriptors, in order; for one thread. */
public final class UnixStream implements AutoCloseable {
  // struct sockaddr_un: family u16 @0, path char[108] @2
  private static final int SOCKADDR_BYTES = 110;

  /** SCM_MAX_FD of Linux is 253. */
  private static final int DESCRIPTORS = 200;

  // struct msghdr: name, namelen, iov @16, iovlen @24, control @32, controllen @40, flags @48
  private static final int MESSAGE_BYTES = 56;

  // struct cmsghdr: len u64 @0, level int @8, type int @12, data @16
  private static final int CONTROL_HEADER = 16;

  private final int fd;
  private boolean closed;

  UnixStream(int fd) {
    this.fd = fd;
  }

  /** Connects to who listens at {@code path}. */
  public static UnixStream connect(Path path) throws IOException {
    int fd = socket();
    try (Arena arena = Arena.ofConfined()) {
      int result = Libc.connect(fd, address(arena, path), SOCKADDR_BYTES);
      check(result, "connect to " + path);
      return new UnixStream(fd);
    } catch (IOException e) {
      Libc.close(fd);
      throw e;
    }
  }

  static int socket() throws IOException {
    int fd = Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0);
    check(fd, "socket(AF_UNIX)");
    return fd;
  }

  /** A struct sockaddr_un of {@value #SOCKADDR_BYTES} bytes. */
  static long address(Arena arena, Path path) throws IOException {
    byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
    if (name.length > SOCKADDR_BYTES - 3) {
      throw new IOException(path + ": longer than a socket's name may be");
    }
    MemorySegment address = arena.allocate(SOCKADDR_BYTES, 8);
    address.set(JAVA_SHORT, 0, (short) Libc.AF_UNIX);
    MemorySegment.copy(name, 0, address, JAVA_BYTE, 2, name.length);
    return address.address();
  }

  static void check(long result, String what) throws IOException {
    if (result < 0) {
      throw new IOException(what + ": " + Errno.name(-result));
    }
  }

  /** From now on who reads waits so long at most. */
  public void patience(Duration longest) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment timeval = arena.allocate(16, 8);
      timeval.set(JAVA_LONG, 0, longest.toSeconds());
      timeval.set(JAVA_LONG, 8, longest.toNanosPart() / 1000);
      check(
          Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, timeval.address(), 16),
          "SO_RCVTIMEO");
    }
  }

  /** Sends all of {@code bytes}. */
  public void write(byte[] bytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      long address = arena.allocateFrom(JAVA_BYTE, bytes).address();
      for (int at = 0; at < bytes.length; ) {
        long sent = Libc.send(fd, address + at, bytes.length - at, Libc.MSG_NOSIGNAL);
        if (sent != -Errno.EINTR) {
          check(sent, "write");
          at += (int) sent;
        }
      }
    }
  }

  /** Receives {@code count} bytes. */
  public byte[] read(int count) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(Math.max(1, count));
      for (int at = 0; at < count; ) {
        at += (int) received(Libc.recv(fd, memory.address() + at, count - at, 0));
      }
      return memory.asSlice(0, count).toArray(JAVA_BYTE);
    }
  }

  private static long received(long result) throws IOException {
    if (result == 0) {
      throw new EOFException("the other end has gone");
    }
    if (result == -Errno.EINTR) {
      return 0;
    }
    check(result, result == -Errno.EAGAIN ? "the other end does not answer" : "read");
    return result;
  }

  /** Sends copies of open descriptors; ours stay open. */
  public void writeDescriptors(int[] descriptors) throws IOException {
    for (int at = 0; at < descriptors.length; at += DESCRIPTORS) {
      int count = Math.min(DESCRIPTORS, descriptors.length - at);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment control = arena.allocate(CONTROL_HEADER + 4L * DESCRIPTORS, 8);
        control.set(JAVA_LONG, 0, CONTROL_HEADER + 4L * count);
        control.set(JAVA_INT, 8, Libc.SOL_SOCKET);
        control.set(JAVA_INT, 12, Libc.SCM_RIGHTS);
        MemorySegment.copy(descriptors, at, control, JAVA_INT, CONTROL_HEADER, count);
        long message = message(arena, control, CONTROL_HEADER + 4L * count);
        check(Libc.sendmsg(fd, message, Libc.MSG_NOSIGNAL), "send descriptors");
      }
    }
  }

  /** Receives {@code count} descriptors, the caller's to close. */
  public int[] readDescriptors(int count) throws IOException {
    int[] descriptors = new int[count];
    for (int at = 0; at < count; ) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment control = arena.allocate(CONTROL_HEADER + 4L * DESCRIPTORS, 8);
        long message = message(arena, control, control.byteSize());
        received(Libc.recvmsg(fd, message, Libc.MSG_CMSG_CLOEXEC));
        long bytes = control.get(JAVA_LONG, 0) - CONTROL_HEADER;
        boolean rights =
            control.get(JAVA_INT, 8) == Libc.SOL_SOCKET
                && control.get(JAVA_INT, 12) == Libc.SCM_RIGHTS;
        if (!rights || bytes <= 0 || bytes > 4L * (count - at)) {
          throw new IOException("expected descriptors, got something else");
        }
        int got = (int) bytes / 4;
        MemorySegment.copy(control, JAVA_INT, CONTROL_HEADER, descriptors, at, got);
        at += got;
      }
    }
    return descriptors;
  }

  /** A struct msghdr of one byte, for descriptors never travel alone, and {@code control}. */
  private static long message(Arena arena, MemorySegment control, long controlBytes) {
    MemorySegment vector = arena.allocate(16, 8);
    vector.set(JAVA_LONG, 0, arena.allocate(1).address());
    vector.set(JAVA_LONG, 8, 1);
    MemorySegment message = arena.allocate(MESSAGE_BYTES, 8);
    message.set(JAVA_LONG, 16, vector.address());
    message.set(JAVA_LONG, 24, 1);
    message.set(JAVA_LONG, 32, control.address());
    message.set(JAVA_LONG, 40, controlBytes);
    return message.address();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Libc.close(fd);
    }
  }
}
