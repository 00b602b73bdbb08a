package io.gatun.worker;

/** Breaks a worker on purpose, so that tests see what follows. Never set in production. */
public enum Fault {
  NONE,
  /** Never returns from its duty cycle. */
  STUCK,
  /** Ends with an exception. */
  EXCEPTION
}
