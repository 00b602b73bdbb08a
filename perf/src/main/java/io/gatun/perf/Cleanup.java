package io.gatun.perf;

import java.io.Closeable;
import java.io.IOException;

/**
 * Undoes something at the end of a block, and also when the benchmark is interrupted (Ctrl-C); what
 * is undone must not mind being undone twice.
 */
final class Cleanup implements Closeable {
  private final Closeable undo;
  private final Thread hook;

  /**
   * @param remedy what is still to be done by hand should undoing fail
   */
  Cleanup(Closeable undo, String remedy) {
    this.undo = undo;
    hook =
        new Thread(
            () -> {
              try {
                undo.close();
              } catch (IOException | RuntimeException e) {
                System.err.printf("%s is still to do: %s%n", remedy, e.getMessage());
              }
            },
            "cleanup");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  @Override
  public void close() throws IOException {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException alreadyEnding) {
      return; // the hook is at it
    }
    undo.close();
  }
}
