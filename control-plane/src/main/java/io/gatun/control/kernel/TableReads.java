package io.gatun.control.kernel;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When all of the kernel's tables are read: at the start at once; later on another thread, when
 * something may have been missed, and once a minute. For one thread; nanoseconds of any clock.
 */
final class TableReads {
  private static final Logger LOG = LoggerFactory.getLogger(TableReads.class);
  private static final long ANYWAY = TimeUnit.SECONDS.toNanos(60);
  private static final long AFTER_SILENCE = TimeUnit.MILLISECONDS.toNanos(10);
  private static final long AFTER_FAILURE = TimeUnit.MILLISECONDS.toNanos(100);

  /** Reading all tables takes at most this part of the time. */
  private static final int REST = 4;

  private final KernelSource source;
  private final Executor elsewhere;
  private @Nullable CompletableFuture<KernelTables> reading;
  private long readingSince;
  private long notBefore;
  private long nextRead;
  private boolean failed;
  private boolean soon;

  TableReads(KernelSource source, Executor elsewhere) {
    this.source = source;
    this.elsewhere = elsewhere;
  }

  /** False so soon after a failure that the next one would be like it. */
  boolean mayTry(long now) {
    return !failed || now - notBefore >= 0;
  }

  /** Reads on this thread. */
  KernelTables read(long now) {
    KernelTables tables = source.read();
    failed = false;
    nextRead = now + ANYWAY;
    notBefore = now;
    return tables;
  }

  /** Something may have been missed. */
  void soon() {
    soon = true;
  }

  /** What was read has told nothing, because of {@code e}. */
  void failed(Throwable e, long now) {
    if (!failed) {
      Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
      LOG.warn("the kernel's tables could not be read, what was read last stays", cause);
    }
    failed = true;
    soon = true;
    notBefore = now + AFTER_FAILURE;
  }

  /** What was read elsewhere, once; null while there is nothing. Throws what the reading threw. */
  @Nullable KernelTables done(long now) {
    CompletableFuture<KernelTables> answer = reading;
    if (answer == null || !answer.isDone()) {
      return null;
    }
    reading = null;
    notBefore = now + REST * (now - readingSince);
    KernelTables tables = answer.join();
    failed = false;
    return tables;
  }

  /** Whether it is time to {@link #begin}. */
  boolean due(long now) {
    return reading == null && (soon ? now - notBefore >= 0 : now - nextRead >= 0);
  }

  /** Reads elsewhere from now on. */
  void begin(long now) {
    soon = false;
    readingSince = now;
    nextRead = now + ANYWAY;
    reading =
        CompletableFuture.supplyAsync(
            () -> {
              pause();
              return source.read();
            },
            elsewhere);
  }

  /** The kernel tells of a link that went down before it removes its routes. */
  private static void pause() {
    try {
      TimeUnit.NANOSECONDS.sleep(AFTER_SILENCE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for what is under way: its sockets are the source's. */
  void await() {
    CompletableFuture<KernelTables> answer = reading;
    if (answer != null) {
      answer.handle((_, _) -> null).join();
    }
  }
}
