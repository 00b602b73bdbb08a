package io.gatun.ffm;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;

/**
 * Which of many descriptors have something to read: one system call however many there are. {@link
 * #add} is for any thread, {@link #look} for one.
 */
public final class Epoll implements AutoCloseable {
  private static final int EPOLL_CTL_ADD = 1;
  private static final int EPOLLIN = 1;
  private static final int EVENTS = 256;

  // struct epoll_event: events u32, data u64; packed on x86-64 only
  private static final boolean PACKED = System.getProperty("os.arch").equals("amd64");
  private static final int EVENT = PACKED ? 12 : 16;
  private static final int DATA = PACKED ? 4 : 8;

  private final int fd;
  private final NativeArea area;

  public Epoll() {
    fd =
        (int)
            NativeException.check(
                Syscall.call(Syscall.EPOLL_CREATE1, Libc.O_CLOEXEC, 0, 0),
                "epoll_create1",
                "raise the limit of open files (ulimit -n)");
    area = NativeArea.map("epoll events", (EVENTS + 1L) * EVENT);
  }

  /** From now on looks tell of {@code descriptor} by {@code number}; its close ends it. */
  public synchronized void add(int descriptor, int number) {
    long event = area.address() + (long) EVENTS * EVENT;
    Memory.putInt(event, EPOLLIN);
    Memory.putLong(event + DATA, number);
    NativeException.check(
        Syscall.call(Syscall.EPOLL_CTL, fd, EPOLL_CTL_ADD, descriptor, event, 0, 0),
        "epoll_ctl",
        "raise fs.epoll.max_user_watches");
  }

  /** Looks without waiting; how many are ready, at most 256 at a time in turn, or −errno. */
  public int look() {
    return (int) Syscall.call(Syscall.EPOLL_PWAIT, fd, area.address(), EVENTS, 0, 0, 0);
  }

  /** The number of the {@code i}-th that was ready at the last look. */
  public int number(int i) {
    return (int) Memory.getLong(area.address() + (long) i * EVENT + DATA);
  }

  @Override
  public void close() {
    Libc.close(fd);
    area.close();
  }
}
