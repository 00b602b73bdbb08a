package io.gatun.port;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;

/**
 * Why a port cannot send, and when it is tried again. By the clock, not by cycles: a worker that
 * sleeps has few of them. Belongs to the port's worker; others may read {@link #errno}.
 */
public final class Outage {
  private static final long RETRY_NANOS = 10_000_000;

  private int errno;
  private long tried;

  /** 0 while the port is up. */
  public int errno() {
    return errno;
  }

  /** The kernel's word on the last try: 0 ends it. */
  public void is(int newErrno) {
    errno = newErrno;
    if (newErrno != 0) {
      tried = Libc.monotonicNanos();
    }
  }

  /**
   * Whether to send again: there is none, or the interface was down some time ago. What is gone
   * does not come back.
   */
  public boolean isOver() {
    return errno == 0 || (errno == Errno.ENETDOWN && Libc.monotonicNanos() - tried >= RETRY_NANOS);
  }
}
