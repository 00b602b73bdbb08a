package io.gatun.perf;

import java.io.Console;
import java.io.PrintStream;

/** A line on a terminal that says how far a benchmark is; nothing elsewhere. One thread. */
final class Progress {
  private static final String BACK_AND_CLEAR = "\r\u001b[K"; // ECMA-48: erase to the end of line

  private final PrintStream out;
  private final boolean shown;
  private final int runs;
  private int done;

  Progress(int runs) {
    this(runs, System.err, isTerminal());
  }

  Progress(int runs, PrintStream out, boolean shown) {
    this.runs = runs;
    this.out = out;
    this.shown = shown;
  }

  @SuppressWarnings("SystemConsoleNull") // its Javadoc still allows null
  private static boolean isTerminal() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  /** The next run begins. */
  void next() {
    if (shown) {
      out.printf("%srun %d of %d", BACK_AND_CLEAR, ++done, runs);
      out.flush();
    }
  }

  /** The line goes. */
  void end() {
    if (shown) {
      out.print(BACK_AND_CLEAR);
      out.flush();
    }
  }
}
