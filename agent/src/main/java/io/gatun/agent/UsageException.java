package io.gatun.agent;

import java.io.Serial;

/** Wrong usage or configuration: exit code 2, and the message is the one line that is printed. */
public final class UsageException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  public UsageException(String message) {
    super(message);
  }
}
