package io.gatun.ffm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * The processor's system call instruction as a C function: number and six arguments in, what the
 * kernel says out, value or −errno. libc's syscall(3) is the same but for errno, which it takes out
 * of the value; to get it back, a downcall has to capture the thread's state, and that allocates 40
 * bytes for as long as C2 has not compiled the caller. A thread that allocates waits, for a third
 * of a second and more, when the collector has run out of heap: a worker must not.
 */
final class SyscallStub {
  /** From the convention of C to the kernel's (System V ABI, AMD64 supplement, A.2.1). */
  private static final byte[] X86_64 =
      HexFormat.of()
          .parseHex(
              ("f3 0f 1e fa " // endbr64
                      + "48 89 f8 " // mov rax, rdi: the number
                      + "48 89 f7 " // mov rdi, rsi
                      + "48 89 d6 " // mov rsi, rdx
                      + "48 89 ca " // mov rdx, rcx
                      + "4d 89 c2 " // mov r10, r8
                      + "4d 89 c8 " // mov r8, r9
                      + "4c 8b 4c 24 08 " // mov r9, [rsp + 8]
                      + "0f 05 " // syscall
                      + "c3") // ret
                  .replace(" ", ""));

  private static final long BYTES = 4096;

  private SyscallStub() {}

  /**
   * Where the processor is another one, or the kernel does not let us have code of our own: null.
   *
   * @return {@code long (long number, long a, long b, long c, long d, long e, long f)}
   */
  static @Nullable MethodHandle link() {
    if (!System.getProperty("os.arch").equals("amd64")) {
      return null;
    }
    int writable = Libc.PROT_READ | Libc.PROT_WRITE;
    long at =
        Syscall.byLibrary(
            Syscall.MMAP, 0, BYTES, writable, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
    if (at < 0) {
      return null;
    }
    MemorySegment code = MemorySegment.ofAddress(at).reinterpret(BYTES);
    code.copyFrom(MemorySegment.ofArray(X86_64));
    int executable = Libc.PROT_READ | Libc.PROT_EXEC;
    if (Syscall.byLibrary(Syscall.MPROTECT, at, BYTES, executable, 0, 0, 0) < 0) {
      Syscall.byLibrary(Syscall.MUNMAP, at, BYTES, 0, 0, 0, 0);
      return null;
    }
    return Linker.nativeLinker()
        .downcallHandle(
            code,
            FunctionDescriptor.of(
                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                JAVA_LONG));
  }
}
