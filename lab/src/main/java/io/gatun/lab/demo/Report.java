package io.gatun.lab.demo;

import java.io.IOException;
import java.io.PrintStream;

/** Prints a line a check and counts; for one thread. */
public final class Report {

  private static final String GREEN = "\u001b[32m";
  private static final String RED = "\u001b[31m";
  private static final String PLAIN = "\u001b[0m";

  private final PrintStream out;
  private final boolean colour;
  private int passed;
  private int failed;

  public Report(PrintStream out, boolean colour) {
    this.out = out;
    this.colour = colour;
  }

  /** What a check found: whether it is as it should be, and what there was to see. */
  public record Seen(boolean holds, String what) {}

  /** A check; one that cannot be made has failed. */
  @FunctionalInterface
  public interface Check {
    Seen look() throws IOException;
  }

  public void check(String title, Check check) {
    Seen seen;
    try {
      seen = check.look();
    } catch (IOException | RuntimeException e) {
      seen = new Seen(false, String.valueOf(e.getMessage()).strip());
    }
    if (seen.holds()) {
      passed++;
    } else {
      failed++;
    }
    String mark = seen.holds() ? "✓" : "✗";
    if (colour) {
      mark = (seen.holds() ? GREEN : RED) + mark + PLAIN;
    }
    say(mark + " " + title + ": " + seen.what());
  }

  public void say(String line) {
    out.println(line);
    out.flush();
  }

  public int passed() {
    return passed;
  }

  public int failed() {
    return failed;
  }

  /** The last line, and the exit code that goes with it. */
  public int conclude() {
    say(passed + " passed, " + failed + " failed");
    return failed == 0 ? 0 : 1;
  }
}
