package io.gatun.ffm;

/**
 * A native call failed where there is no going on: at construction of a socket, map, program or
 * area. The message is one line: the call, the error's name, and what to do about it.
 */
public final class NativeException extends RuntimeException {
  private final int errno;

  /**
   * @param call what was tried, with its arguments as far as they help
   * @param errno the error number, positive or negated
   * @param remedy what whoever reads this can do: a capability, a sysctl, a flag
   */
  public NativeException(String call, long errno, String remedy) {
    super(call + ": " + Errno.name(errno) + "; " + remedy);
    this.errno = (int) Math.abs(errno);
  }

  /** The error number, positive. */
  public int errno() {
    return errno;
  }

  /** Returns {@code result} unless it is negative, which is −errno. */
  public static long check(long result, String call, String remedy) {
    if (result < 0) {
      throw new NativeException(call, result, remedy);
    }
    return result;
  }
}
