package io.gatun.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * The one way into the kernel: {@link SyscallStub}, or libc's variadic {@code long syscall(long
 * number, ...)} with errno captured where there is none. Safe for use by many threads; allocates
 * once per thread.
 *
 * <p>Not marked {@code critical}: that saves less than a nanosecond and keeps safepoints waiting
 * for as long as the kernel sleeps.
 */
public final class Syscall {
  private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");

  // arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h
  static final long READ = ARM ? 63 : 0;
  static final long WRITE = ARM ? 64 : 1;
  static final long CLOSE = ARM ? 57 : 3;
  static final long MMAP = ARM ? 222 : 9;
  static final long MPROTECT = ARM ? 226 : 10;
  static final long MUNMAP = ARM ? 215 : 11;
  static final long MREMAP = ARM ? 216 : 25;
  static final long IOCTL = ARM ? 29 : 16;
  static final long MADVISE = ARM ? 233 : 28;
  static final long SOCKET = ARM ? 198 : 41;
  static final long SENDTO = ARM ? 206 : 44;
  static final long RECVFROM = ARM ? 207 : 45;
  static final long CONNECT = ARM ? 203 : 42;
  static final long SENDMSG = ARM ? 211 : 46;
  static final long RECVMSG = ARM ? 212 : 47;
  static final long SHUTDOWN = ARM ? 210 : 48;
  static final long BIND = ARM ? 200 : 49;
  static final long LISTEN = ARM ? 201 : 50;
  static final long GETSOCKNAME = ARM ? 204 : 51;
  static final long SETSOCKOPT = ARM ? 208 : 54;
  static final long GETSOCKOPT = ARM ? 209 : 55;
  static final long FLOCK = ARM ? 32 : 73;
  static final long FTRUNCATE = ARM ? 46 : 77;
  static final long MOUNT = ARM ? 40 : 165;
  static final long UMOUNT2 = ARM ? 39 : 166;
  static final long GETPPID = ARM ? 173 : 110;
  static final long PRCTL = ARM ? 167 : 157;
  static final long GETTID = ARM ? 178 : 186;
  static final long SCHED_SETAFFINITY = ARM ? 122 : 203;
  static final long SCHED_SETATTR = ARM ? 274 : 314;
  static final long SCHED_GETAFFINITY = ARM ? 123 : 204;
  static final long OPENAT = ARM ? 56 : 257;
  static final long PPOLL = ARM ? 73 : 271;
  static final long FALLOCATE = ARM ? 47 : 285;
  static final long EPOLL_CTL = ARM ? 21 : 233;
  static final long EPOLL_PWAIT = ARM ? 22 : 281;
  static final long EPOLL_CREATE1 = ARM ? 20 : 291;
  static final long RECVMMSG = ARM ? 243 : 299;
  static final long SENDMMSG = ARM ? 269 : 307;
  static final long ACCEPT4 = ARM ? 242 : 288;
  static final long MEMFD_CREATE = ARM ? 279 : 319;
  static final long EVENTFD2 = ARM ? 19 : 290;
  static final long SETNS = ARM ? 268 : 308;

  /** bpf(2). */
  public static final long BPF = ARM ? 280 : 321;

  private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
  private static final long ERRNO =
      CAPTURE.byteOffset(java.lang.foreign.MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle LIBRARY =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("syscall"),
              FunctionDescriptor.of(
                  JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                  JAVA_LONG),
              Linker.Option.firstVariadicArg(1),
              Linker.Option.captureCallState("errno"));

  // clock_gettime alone is called as itself: the C library answers from the vDSO.
  private static final MethodHandle CLOCK_GETTIME =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("clock_gettime"),
              FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));

  /** Where errno goes, and a struct timespec for calls that take one. */
  private static final class Scratch {
    final MemorySegment capture = Arena.ofAuto().allocate(CAPTURE);
    final MemorySegment timespec = Arena.ofAuto().allocate(16, 8);
    final long timespecAddress = timespec.address();
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private static final @Nullable MethodHandle STUB = SyscallStub.link();

  private Syscall() {}

  /** Calls system call {@code number}; returns its value or −errno. */
  public static long call(long number, long a, long b, long c, long d, long e, long f) {
    if (STUB == null) {
      return byLibrary(number, a, b, c, d, e, f);
    }
    try {
      return (long) STUB.invokeExact(number, a, b, c, d, e, f);
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }

  static long call(long number, long a, long b, long c) {
    return call(number, a, b, c, 0, 0, 0);
  }

  static long byLibrary(long number, long a, long b, long c, long d, long e, long f) {
    MemorySegment capture = SCRATCH.get().capture;
    try {
      long result = (long) LIBRARY.invokeExact(capture, number, a, b, c, d, e, f);
      return result == -1 ? -capture.get(JAVA_INT, ERRNO) : result;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }

  /** ppoll(2) without a signal mask; a negative timeout waits for ever. */
  static int poll(long pollfds, int count, int timeoutMs) {
    Scratch scratch = SCRATCH.get();
    scratch.timespec.set(JAVA_LONG, 0, timeoutMs / 1000);
    scratch.timespec.set(JAVA_LONG, 8, timeoutMs % 1000 * 1_000_000L);
    long timeout = timeoutMs < 0 ? 0 : scratch.timespecAddress;
    return (int) call(PPOLL, pollfds, count, timeout, 0, 8, 0);
  }

  static long clockNanos(int clock) {
    Scratch scratch = SCRATCH.get();
    try {
      int result = (int) CLOCK_GETTIME.invokeExact(clock, scratch.timespecAddress);
      MemorySegment timespec = scratch.timespec;
      return result == 0
          ? timespec.get(JAVA_LONG, 0) * 1_000_000_000L + timespec.get(JAVA_LONG, 8)
          : result;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }
}
