package io.gatun.control.kubernetes;

import java.time.Duration;

/** Is told how it goes with the API server, for metrics; by any thread. */
public interface ApiObserver {
  ApiObserver NONE = new ApiObserver() {};

  /** A request was answered with {@code code}, its headers after so long. */
  default void request(int code, Duration took) {}

  /** An object was left out because of a mistake. */
  default void refused() {}

  /** A kind was listed, for the first time or again. */
  default void listed() {}

  /** A change of endpoints is in the tables, so long after what caused it. */
  default void programmed(Duration since) {}
}
