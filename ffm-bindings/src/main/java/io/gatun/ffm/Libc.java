package io.gatun.ffm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * System calls as static methods that return a value or −errno. Safe for use by many threads.
 *
 * <p>{@link #poll}, {@link #sendtoWake}, {@link #recvfromWake}, {@link #send}, {@link #recv},
 * {@link #recvmmsg}, {@link #sendmmsg} and {@link #monotonicNanos} allocate nothing after a
 * thread's first call. Addresses are absolute and belong to the caller. Constants are from {@code
 * include/uapi} of Linux and the same on x86-64 and aarch64.
 */
public final class Libc {
  public static final int AF_UNIX = 1;
  public static final int AF_INET = 2;
  public static final int AF_INET6 = 10;
  public static final int AF_NETLINK = 16;
  public static final int AF_PACKET = 17;
  public static final int AF_XDP = 44;
  public static final int SOCK_STREAM = 1;
  public static final int SOCK_DGRAM = 2;
  public static final int SOCK_RAW = 3;
  public static final int SOCK_NONBLOCK = 0x800;
  public static final int SOCK_CLOEXEC = 0x80000;
  public static final int SOL_SOCKET = 1;
  public static final int SO_RCVBUF = 8;
  public static final int SO_ATTACH_FILTER = 26;
  public static final int SO_SNDBUFFORCE = 32;
  public static final int SO_RCVBUFFORCE = 33;
  public static final int SO_RCVTIMEO = 20;
  public static final int SO_BUSY_POLL = 46;
  public static final int SO_PREFER_BUSY_POLL = 69;
  public static final int SO_BUSY_POLL_BUDGET = 70;
  public static final int MSG_PEEK = 2;
  public static final int MSG_TRUNC = 0x20;
  public static final int MSG_DONTWAIT = 0x40;
  public static final int MSG_NOSIGNAL = 0x4000;
  public static final int MSG_CMSG_CLOEXEC = 0x40000000;
  public static final int SCM_RIGHTS = 1;
  public static final int SHUT_RDWR = 2;
  public static final int MFD_CLOEXEC = 1;
  public static final int MFD_HUGETLB = 4;
  public static final int POLLIN = 1;
  public static final int POLLOUT = 4;
  public static final int POLLERR = 8;
  public static final int POLLHUP = 16;

  /** Bytes of a struct pollfd: fd int at 0, events u16 at 4, revents u16 at 6. */
  public static final int POLLFD_BYTES = 8;

  public static final int POLLFD_EVENTS = 4;
  public static final int POLLFD_REVENTS = 6;

  public static final int PROT_NONE = 0;
  public static final int PROT_READ = 1;
  public static final int PROT_WRITE = 2;
  public static final int PROT_EXEC = 4;
  public static final int MAP_SHARED = 1;
  public static final int MAP_PRIVATE = 2;
  public static final int MAP_ANONYMOUS = 0x20;
  public static final int MAP_POPULATE = 0x8000;
  public static final int MAP_HUGETLB = 0x40000;
  public static final int MREMAP_MAYMOVE = 1;
  public static final int MREMAP_FIXED = 2;
  public static final int MADV_HUGEPAGE = 14;
  public static final int MADV_POPULATE_WRITE = 23;

  public static final int O_RDONLY = 0;
  public static final int O_RDWR = 2;
  public static final int O_CREAT = 0x40;
  public static final int O_CLOEXEC = 0x80000;
  public static final int LOCK_SH = 1;
  public static final int LOCK_EX = 2;
  public static final int LOCK_NB = 4;
  public static final int LOCK_UN = 8;
  public static final int CLONE_NEWNET = 0x40000000;
  public static final int MNT_DETACH = 2;
  public static final int EFD_NONBLOCK = 0x800;
  public static final int EFD_CLOEXEC = 0x80000;

  private static final int AT_FDCWD = -100;
  private static final int CLOCK_MONOTONIC = 1;
  private static final int SIOCGIFNAME = 0x8910;
  private static final int SIOCGIFINDEX = 0x8933;
  private static final int IFNAMSIZ = 16;
  private static final int IFREQ_BYTES = 40;
  private static final int CPU_SET_BYTES = 128;

  /** struct sched_attr (linux/sched/types.h), SCHED_ATTR_SIZE_VER0. */
  private static final int SCHED_ATTR_BYTES = 48;

  private static final int PR_SET_PDEATHSIG = 1;

  private Libc() {}

  public static int socket(int domain, int type, int protocol) {
    return (int) Syscall.call(Syscall.SOCKET, domain, type, protocol);
  }

  public static int close(int fd) {
    return (int) Syscall.call(Syscall.CLOSE, fd, 0, 0);
  }

  public static int bind(int fd, long sockaddr, int length) {
    return (int) Syscall.call(Syscall.BIND, fd, sockaddr, length);
  }

  public static int connect(int fd, long sockaddr, int length) {
    return (int) Syscall.call(Syscall.CONNECT, fd, sockaddr, length);
  }

  public static int listen(int fd, int backlog) {
    return (int) Syscall.call(Syscall.LISTEN, fd, backlog, 0);
  }

  /** The next connection's descriptor; waits for one. */
  public static int accept(int fd, int flags) {
    return (int) Syscall.call(Syscall.ACCEPT4, fd, 0, 0, flags, 0, 0);
  }

  /** Ends both directions, and what waits in {@link #accept} or {@link #recv}. */
  public static int shutdown(int fd, int how) {
    return (int) Syscall.call(Syscall.SHUTDOWN, fd, how, 0);
  }

  /** Sends one struct msghdr; bytes sent or −errno. */
  public static int sendmsg(int fd, long message, int flags) {
    return (int) Syscall.call(Syscall.SENDMSG, fd, message, flags);
  }

  /** Receives into one struct msghdr; bytes received or −errno. */
  public static int recvmsg(int fd, long message, int flags) {
    return (int) Syscall.call(Syscall.RECVMSG, fd, message, flags);
  }

  /** Memory that a descriptor stands for, so that another process may map it too. */
  public static int memfdCreate(String name, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) Syscall.call(Syscall.MEMFD_CREATE, arena.allocateFrom(name).address(), flags, 0);
    }
  }

  /**
   * Waits until one of {@code count} descriptors is ready; returns how many are, 0 on time-out.
   *
   * @param pollfds address of {@code count} structs pollfd
   * @param timeoutMs 0 does not wait, negative waits for ever
   */
  public static int poll(long pollfds, int count, int timeoutMs) {
    return Syscall.poll(pollfds, count, timeoutMs);
  }

  /** Makes the kernel look at an AF_XDP socket's TX ring: {@code sendto(fd, NULL, 0, DONTWAIT)}. */
  public static int sendtoWake(int fd) {
    return (int) Syscall.call(Syscall.SENDTO, fd, 0, 0, MSG_DONTWAIT, 0, 0);
  }

  /**
   * Makes the kernel look at a FILL ring, or busy-poll: {@code recvfrom(fd, NULL, 0, DONTWAIT)}.
   */
  public static int recvfromWake(int fd) {
    return (int) Syscall.call(Syscall.RECVFROM, fd, 0, 0, MSG_DONTWAIT, 0, 0);
  }

  public static long send(int fd, long address, long bytes, int flags) {
    return Syscall.call(Syscall.SENDTO, fd, address, bytes, flags, 0, 0);
  }

  public static long recv(int fd, long address, long bytes, int flags) {
    return Syscall.call(Syscall.RECVFROM, fd, address, bytes, flags, 0, 0);
  }

  /**
   * Receives up to {@code count} messages without waiting; returns how many, or −errno.
   *
   * @param messages address of {@code count} structs mmsghdr
   */
  public static int recvmmsg(int fd, long messages, int count) {
    return (int) Syscall.call(Syscall.RECVMMSG, fd, messages, count, MSG_DONTWAIT, 0, 0);
  }

  /**
   * Sends up to {@code count} messages without waiting; returns how many, or −errno of the first.
   */
  public static int sendmmsg(int fd, long messages, int count) {
    return (int) Syscall.call(Syscall.SENDMMSG, fd, messages, count, MSG_DONTWAIT, 0, 0);
  }

  public static long read(int fd, long address, long bytes) {
    return Syscall.call(Syscall.READ, fd, address, bytes);
  }

  public static long write(int fd, long address, long bytes) {
    return Syscall.call(Syscall.WRITE, fd, address, bytes);
  }

  public static int setsockopt(int fd, int level, int option, long address, int bytes) {
    return (int) Syscall.call(Syscall.SETSOCKOPT, fd, level, option, address, bytes, 0);
  }

  /** An option whose value is an int. */
  public static int setsockopt(int fd, int level, int option, int value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(JAVA_INT, value);
      return setsockopt(fd, level, option, memory.address(), Integer.BYTES);
    }
  }

  /** Reads an option into {@code bytes} bytes at {@code address}; returns how many were written. */
  public static int getsockopt(int fd, int level, int option, long address, int bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment length = arena.allocateFrom(JAVA_INT, bytes);
      long result =
          Syscall.call(Syscall.GETSOCKOPT, fd, level, option, address, length.address(), 0);
      return result < 0 ? (int) result : length.get(JAVA_INT, 0);
    }
  }

  /** Returns the address of the mapping or −errno. */
  public static long mmap(
      long address, long bytes, int protection, int flags, int fd, long offset) {
    return Syscall.call(Syscall.MMAP, address, bytes, protection, flags, fd, offset);
  }

  public static int munmap(long address, long bytes) {
    return (int) Syscall.call(Syscall.MUNMAP, address, bytes, 0);
  }

  /** Moves or resizes a mapping; returns its address now or −errno. */
  public static long mremap(long address, long bytes, long newBytes, int flags, long to) {
    return Syscall.call(Syscall.MREMAP, address, bytes, newBytes, flags, to, 0);
  }

  public static int mprotect(long address, long bytes, int protection) {
    return (int) Syscall.call(Syscall.MPROTECT, address, bytes, protection);
  }

  public static int madvise(long address, long bytes, int advice) {
    return (int) Syscall.call(Syscall.MADVISE, address, bytes, advice);
  }

  public static int ioctl(int fd, long request, long argument) {
    return (int) Syscall.call(Syscall.IOCTL, fd, request, argument);
  }

  /** The kernel's id of the calling (platform) thread. */
  public static int gettid() {
    return (int) Syscall.call(Syscall.GETTID, 0, 0, 0);
  }

  /** The process that started this one, or what took its place when that ended. */
  public static int getppid() {
    return (int) Syscall.call(Syscall.GETPPID, 0, 0, 0);
  }

  /**
   * From now on the parent's end sends this process {@code signal}, 0 for none; for as long as the
   * calling platform thread lives (PR_SET_PDEATHSIG(2const)).
   */
  public static int parentDeathSignal(int signal) {
    return (int) Syscall.call(Syscall.PRCTL, PR_SET_PDEATHSIG, signal, 0);
  }

  /** Lets the calling platform thread run on {@code cpu} only. */
  public static int pinToCpu(int cpu) {
    if (cpu < 0 || cpu >= CPU_SET_BYTES * 8) {
      return -Errno.EINVAL;
    }
    java.util.BitSet cpus = new java.util.BitSet();
    cpus.set(cpu);
    return allowCpus(0, cpus);
  }

  /** Lets thread {@code tid} (0: the calling platform thread) run on {@code cpus} only. */
  public static int allowCpus(int tid, java.util.BitSet cpus) {
    byte[] bits = cpus.toByteArray();
    if (bits.length > CPU_SET_BYTES) {
      return -Errno.EINVAL;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set = arena.allocate(CPU_SET_BYTES, 8);
      MemorySegment.copy(bits, 0, set, JAVA_BYTE, 0, bits.length);
      return (int) Syscall.call(Syscall.SCHED_SETAFFINITY, tid, CPU_SET_BYTES, set.address());
    }
  }

  /**
   * Schedules thread {@code tid} as {@code SCHED_OTHER} (sched_setattr(2)).
   *
   * @param nice −20 to 19; below what it is needs CAP_SYS_NICE
   * @param slice nanoseconds that it may run on while another one waits, 100 µs to 100 ms, 0 for
   *     the kernel's own; kernels before 6.12 ignore it
   */
  public static int schedule(int tid, int nice, long slice) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attributes = arena.allocate(SCHED_ATTR_BYTES, 8);
      attributes.set(JAVA_INT, 0, SCHED_ATTR_BYTES);
      attributes.set(JAVA_INT, 16, nice);
      attributes.set(JAVA_LONG, 24, slice);
      return (int) Syscall.call(Syscall.SCHED_SETATTR, tid, attributes.address(), 0);
    }
  }

  /** The CPUs the calling thread may run on, as a bit set; empty when the kernel does not say. */
  public static java.util.BitSet allowedCpus() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set = arena.allocate(CPU_SET_BYTES, 8);
      long bytes = Syscall.call(Syscall.SCHED_GETAFFINITY, 0, CPU_SET_BYTES, set.address());
      return bytes <= 0
          ? new java.util.BitSet()
          : java.util.BitSet.valueOf(set.asSlice(0, bytes).toArray(JAVA_BYTE));
    }
  }

  /**
   * Moves the calling platform thread into the namespace of {@code fd}; mounts stay as they are.
   * Never on a virtual thread: it would move the carrier.
   *
   * @param type {@link #CLONE_NEWNET}, or 0 for whatever the descriptor is
   */
  public static int setns(int fd, int type) {
    return (int) Syscall.call(Syscall.SETNS, fd, type, 0);
  }

  /** Opens a file relative to the working directory; mode 0600 when it is created. */
  public static int open(String path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      long name = arena.allocateFrom(path).address();
      return (int) Syscall.call(Syscall.OPENAT, AT_FDCWD, name, flags, 0600, 0, 0);
    }
  }

  /** {@code flock(2)}: advisory, released when the last descriptor of the open file closes. */
  public static int flock(int fd, int operation) {
    return (int) Syscall.call(Syscall.FLOCK, fd, operation, 0);
  }

  public static int ftruncate(int fd, long bytes) {
    return (int) Syscall.call(Syscall.FTRUNCATE, fd, bytes, 0);
  }

  /** Reserves the blocks of a file: afterwards a write into the mapping cannot end in SIGBUS. */
  public static int fallocate(int fd, long offset, long bytes) {
    return (int) Syscall.call(Syscall.FALLOCATE, fd, 0, offset, bytes, 0, 0);
  }

  /** {@code mount(2)}; {@code data} as in {@code -o}, empty for none. */
  public static int mount(String source, String target, String type, long flags, String data) {
    try (Arena arena = Arena.ofConfined()) {
      return (int)
          Syscall.call(
              Syscall.MOUNT,
              arena.allocateFrom(source).address(),
              arena.allocateFrom(target).address(),
              arena.allocateFrom(type).address(),
              flags,
              arena.allocateFrom(data).address(),
              0);
    }
  }

  public static int umount(String target, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) Syscall.call(Syscall.UMOUNT2, arena.allocateFrom(target).address(), flags, 0);
    }
  }

  /** A descriptor that another thread makes readable by {@link #write}ing eight bytes. */
  public static int eventfd(int flags) {
    return (int) Syscall.call(Syscall.EVENTFD2, 0, flags, 0);
  }

  /** Nanoseconds of CLOCK_MONOTONIC: the clock of {@code bpf_ktime_get_ns}. */
  public static long monotonicNanos() {
    return Syscall.clockNanos(CLOCK_MONOTONIC);
  }

  /** The index of a network device in the calling thread's namespace, or −errno. */
  public static int ifNameToIndex(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    if (bytes.length == 0 || bytes.length >= IFNAMSIZ) {
      return -Errno.ENODEV;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(IFREQ_BYTES, 8);
      MemorySegment.copy(bytes, 0, request, JAVA_BYTE, 0, bytes.length);
      int result = deviceIoctl(SIOCGIFINDEX, request.address());
      return result < 0 ? result : request.get(JAVA_INT, IFNAMSIZ);
    }
  }

  /** The same for one that has to be there: an exception says so when it is not. */
  public static int requireIfIndex(String name) {
    return (int)
        NativeException.check(ifNameToIndex(name), "find interface " + name, "see `ip link`");
  }

  /** The name of a network device in the calling thread's namespace; empty when there is none. */
  public static String ifIndexToName(int index) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(IFREQ_BYTES, 8);
      request.set(JAVA_INT, IFNAMSIZ, index);
      int result = deviceIoctl(SIOCGIFNAME, request.address());
      return result < 0 ? "" : request.getString(0);
    }
  }

  private static int deviceIoctl(int request, long argument) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      return fd;
    }
    int result = ioctl(fd, request, argument);
    close(fd);
    return result;
  }

  /** Writes one to an eventfd. */
  public static int signal(int eventfd) {
    try (Arena arena = Arena.ofConfined()) {
      long one = arena.allocateFrom(JAVA_LONG, 1).address();
      return (int) write(eventfd, one, Long.BYTES);
    }
  }
}
