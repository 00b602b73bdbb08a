package io.gatun.perf;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.lab.Node;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** A thread of this process that lives in a lab's network namespace; any thread may use it. */
final class NamespaceThread implements AutoCloseable {
  private final ExecutorService thread;

  NamespaceThread(Node node) throws IOException {
    thread =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("in " + node.name()).daemon(true).factory());
    call(() -> {
      int fd = Libc.open(node.path().toString(), Libc.O_RDONLY | Libc.O_CLOEXEC);
      NativeException.check(fd, "open namespace " + node.namespace(), "is the lab up?");
      NativeException.check(
          Libc.setns(fd, Libc.CLONE_NEWNET), "enter " + node.namespace(), "needs root");
      Libc.close(fd);
      return true;
    });
  }

  /** Runs {@code action} in there and waits for what it returns. */
  <T> T call(Callable<T> action) throws IOException {
    return await(start(action));
  }

  /** Runs {@code action} in there. */
  <T> Future<T> start(Callable<T> action) {
    return thread.submit(action);
  }

  /** What an action returned; its exception when it failed. */
  static <T> T await(Future<T> action) throws IOException {
    try {
      return action.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException failed -> throw failed;
        case RuntimeException failed -> throw failed;
        case null, default -> throw new IOException(e.getCause());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
