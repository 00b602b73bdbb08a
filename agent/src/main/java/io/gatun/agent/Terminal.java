package io.gatun.agent;

import java.io.Console;

/** What the place that we print to can show. */
public final class Terminal {
  private Terminal() {}

  /** Whether to use colour: on a terminal, unless {@code NO_COLOR} (no-color.org) is set. */
  @SuppressWarnings("SystemConsoleNull") // its Javadoc still allows null
  public static boolean hasColour() {
    Console console = System.console();
    return console != null && console.isTerminal() && System.getenv("NO_COLOR") == null;
  }
}
