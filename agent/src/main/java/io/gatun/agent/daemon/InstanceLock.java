package io.gatun.agent.daemon;

import io.gatun.agent.RunDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * One daemon a run directory: a lock on {@code $RUN/lock}, which holds the owner's process id and
 * which the kernel lets go of when the owner dies, however it does. For one thread.
 */
final class InstanceLock implements AutoCloseable {
  private static final long LOOK_MILLIS = 1;

  private final Path path;
  private final FileChannel file;
  private @Nullable FileLock lock;

  InstanceLock(RunDirectory run) throws IOException {
    path = run.path().resolve("lock");
    Files.createDirectories(run.path());
    file =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /** True when the lock is ours; false while another process has it. */
  boolean take() throws IOException {
    if (lock == null) {
      lock = file.tryLock();
      if (lock != null) {
        String pid = Long.toString(ProcessHandle.current().pid());
        file.truncate(0);
        file.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.UTF_8)), 0);
      }
    }
    return lock != null;
  }

  /** {@link #take}, waiting for the owner's end; false when it does not come in time. */
  boolean take(long millis) throws IOException, InterruptedException {
    long giveUp = System.nanoTime() + millis * 1_000_000;
    while (!take()) {
      if (System.nanoTime() - giveUp > 0) {
        return false;
      }
      Thread.sleep(LOOK_MILLIS);
    }
    return true;
  }

  /** The process that has it, as it wrote itself down; 0 when nobody has. */
  long owner() throws IOException {
    try {
      return Long.parseLong(Files.readString(path).strip());
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
