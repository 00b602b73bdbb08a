package io.gatun.control.kubernetes;

import java.io.IOException;

/** The API server answered, but not with what was asked for. */
final class ApiException extends IOException {
  private static final long serialVersionUID = 1;

  static final int FORBIDDEN = 403;
  static final int NOT_FOUND = 404;
  static final int GONE = 410;
  static final int TOO_MANY_REQUESTS = 429;
  static final int GATEWAY_TIMEOUT = 504;

  private final int code;
  private final long retryAfterSeconds;

  /**
   * The HTTP status, or that of a Status object within a watch.
   *
   * @param retryAfterSeconds 0 when it does not say
   */
  ApiException(int code, long retryAfterSeconds, String message) {
    super("HTTP " + code + (message.isEmpty() ? "" : ": " + message));
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  int code() {
    return code;
  }

  long retryAfterSeconds() {
    return retryAfterSeconds;
  }

  /** The version that was asked from is not kept any more (AC, "410 Gone responses"). */
  boolean isGone() {
    return code == GONE;
  }

  /** We shall never get it: there is no such kind here, or we may not see it. */
  boolean isDenied() {
    return code == NOT_FOUND || code == FORBIDDEN;
  }
}
