package io.gatun.agent.daemon;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/**
 * A part of the start that is done beside the rest of it, on a thread of its own, until its outcome
 * is needed.
 */
final class Beside<T> {
  private final CompletableFuture<T> outcome = new CompletableFuture<>();

  private Beside() {}

  /** Begins {@code work}. */
  static <T> Beside<T> begin(String name, Supplier<T> work) {
    Beside<T> beside = new Beside<>();
    Thread.ofPlatform()
        .name(name)
        .daemon(true)
        .start(() -> {
          try {
            beside.outcome.complete(work.get());
          } catch (RuntimeException | Error e) {
            beside.outcome.completeExceptionally(e);
          }
        });
    return beside;
  }

  /** Waits for it; what the work threw is thrown here. */
  T outcome() {
    try {
      return outcome.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RuntimeException failed -> throw failed;
        case Error failed -> throw failed;
        case null, default -> throw e;
      }
    }
  }
}
