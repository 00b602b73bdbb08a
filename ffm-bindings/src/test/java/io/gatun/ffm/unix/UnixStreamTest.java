package io.gatun.ffm.unix;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnixStreamTest {
  @TempDir private Path directory;

  @Test
  void shouldCarryBytesAndMemoryThatBothThenSee() throws Exception {
    Path path = directory.resolve("heir.sock");
    try (UnixListener listener = UnixListener.at(path)) {
      assertEquals(
          PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(path));
      NativeArea.Shared ours = NativeArea.mapShared("shared", 4096);
      int[] many = new int[450]; // more than one message takes
      Arrays.fill(many, ours.descriptor());
      byte[] bytes = new byte[300_000];
      Arrays.fill(bytes, (byte) 7);
      FutureTask<Void> giving =
          new FutureTask<>(() -> {
            try (UnixStream out = listener.accept()) {
              out.write(bytes);
              out.writeDescriptors(many);
              out.write(new byte[] {1, 2, 3});
              return null;
            }
          });
      Thread.ofPlatform().start(giving);
      try (UnixStream in = UnixStream.connect(path)) {
        in.patience(Duration.ofSeconds(20));
        assertArrayEquals(bytes, in.read(bytes.length));
        int[] got = in.readDescriptors(many.length);
        assertArrayEquals(new byte[] {1, 2, 3}, in.read(3));
        try (NativeArea theirs = NativeArea.mapLarge("again", got[449], 2 << 20)) {
          Memory.putLong(ours.area().address() + 8, 42);
          assertEquals(42, Memory.getLong(theirs.address() + 8));
        }
        Arrays.stream(got).forEach(Libc::close);
        assertThrows(IOException.class, () -> in.read(1), "the other end has gone");
      }
      giving.get(20, TimeUnit.SECONDS);
      ours.area().close();
      Libc.close(ours.descriptor());
    }
    assertTrue(Files.notExists(path));
  }

  @Test
  void shouldNotWaitForEver() throws Exception {
    try (UnixListener listener = UnixListener.at(directory.resolve("s"));
        UnixStream in = UnixStream.connect(directory.resolve("s"));
        UnixStream other = listener.accept()) {
      in.patience(Duration.ofMillis(20));
      IOException e = assertThrows(IOException.class, () -> in.read(1));
      assertTrue(String.valueOf(e.getMessage()).startsWith("the other end does not answer"));
      assertThrows(IOException.class, () -> UnixStream.connect(directory.resolve("nobody")));
      other.write(new byte[1]);
    }
  }

  @Test
  void shouldEndTheWaitForConnections() throws Exception {
    UnixListener listener = UnixListener.at(directory.resolve("s"));
    FutureTask<Boolean> waiting =
        new FutureTask<>(() -> {
          assertThrows(IOException.class, listener::accept);
          return listener.isClosed();
        });
    Thread.ofPlatform().start(waiting);
    Thread.sleep(50);
    listener.close();
    assertTrue(waiting.get(20, TimeUnit.SECONDS));
  }
}
