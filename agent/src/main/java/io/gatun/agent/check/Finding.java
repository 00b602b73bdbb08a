package io.gatun.agent.check;

/**
 * One thing looked at. Immutable.
 *
 * @param check what, in a word: what {@code --ignore} takes
 * @param found what there is
 * @param remedy the command that mends it; empty where nothing has to be
 */
public record Finding(String check, Status status, String found, String remedy) {
  /** How it is. */
  public enum Status {
    OK,
    WARNING,
    FAILURE
  }

  static Finding ok(String check, String found) {
    return new Finding(check, Status.OK, found, "");
  }

  static Finding warning(String check, String found, String remedy) {
    return new Finding(check, Status.WARNING, found, remedy);
  }

  static Finding failure(String check, String found, String remedy) {
    return new Finding(check, Status.FAILURE, found, remedy);
  }
}
