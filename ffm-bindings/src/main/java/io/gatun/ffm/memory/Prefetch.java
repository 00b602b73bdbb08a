package io.gatun.ffm.memory;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.gatun.ffm.Libc;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * Asks the processor for cache lines that will be needed, without waiting for them: what Java has
 * no instruction for. A load that misses the cache stays in the processor's window until it is
 * answered and keeps what follows out; a prefetch does not, so the work on lines that are there
 * goes on meanwhile.
 *
 * <p>On x86-64 it is a loop of a few instructions that is assembled here at the start and called
 * for many lines at once, for a call costs some nanoseconds; elsewhere, and where no memory may be
 * made executable, the lines are loaded. Safe for use by many threads; allocates nothing.
 */
public final class Prefetch {
  private static final @Nullable MethodHandle LOOP = loop();

  /** Where touched words end, so that the compiler keeps the touching. */
  @SuppressWarnings("UnusedVariable")
  private static long sink;

  private Prefetch() {}

  /** Whether it is more than loading. */
  public static boolean isAvailable() {
    return LOOP != null;
  }

  /**
   * Asks for the lines at the addresses {@code from} (inclusive) to {@code to} (exclusive) of
   * {@code addresses}, a segment over a {@code long[]} or over native memory. Each must be readable
   * memory of 8 bytes.
   */
  public static void lines(MemorySegment addresses, int from, int to) {
    MethodHandle loop = LOOP;
    if (loop == null) {
      load(addresses, from, to);
      return;
    }
    try {
      loop.invokeExact(addresses, from, to);
    } catch (Throwable e) {
      throw new AssertionError(e); // it calls nothing
    }
  }

  /** The same without the instruction. */
  static void load(MemorySegment addresses, int from, int to) {
    long touched = 0;
    for (int i = from; i < to; i++) {
      touched += Memory.getLong(addresses.getAtIndex(ValueLayout.JAVA_LONG, i));
    }
    sink = touched;
  }

  private static @Nullable MethodHandle loop() {
    if (!System.getProperty("os.arch").equals("amd64") || Boolean.getBoolean("gatun.noPrefetch")) {
      return null;
    }
    long page =
        Libc.mmap(
            0,
            NativeArea.PAGE,
            NativeArea.READ_WRITE,
            Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS,
            -1,
            0);
    if (page < 0) {
      return null;
    }
    MemorySegment code = MemorySegment.ofAddress(page).reinterpret(NativeArea.PAGE);
    code.copyFrom(MemorySegment.ofArray(assembled()));
    if (Libc.mprotect(page, NativeArea.PAGE, Libc.PROT_READ | Libc.PROT_EXEC) != 0) {
      Libc.munmap(page, NativeArea.PAGE); // a security module forbids it
      return null;
    }
    // Critical: no state of the thread to change for a microsecond, and the array may be Java's.
    return Linker.nativeLinker()
        .downcallHandle(
            MemorySegment.ofAddress(page),
            FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT, JAVA_INT),
            Linker.Option.critical(true));
  }

  /**
   * {@code for (; from < to; from++) prefetcht0(addresses[from])} by the System V calling
   * convention: rdi, esi, edx. Opcodes from the Intel SDM, volume 2.
   */
  private static byte[] assembled() {
    ByteArrayOutputStream code = new ByteArrayOutputStream();
    int top = code.size();
    emit(code, 0x39, 0xD6); //             top: cmp esi, edx
    emit(code, 0x7D, 0x0E); //                  jge end
    emit(code, 0x48, 0x63, 0xC6); //            movsxd rax, esi
    emit(code, 0x48, 0x8B, 0x04, 0xC7); //      mov rax, [rdi + rax * 8]
    emit(code, 0x0F, 0x18, 0x08); //            prefetcht0 [rax]
    emit(code, 0xFF, 0xC6); //                  inc esi
    emit(code, 0xEB, top - (code.size() + 2)); // jmp top
    emit(code, 0xC3); //                   end: ret
    return code.toByteArray();
  }

  private static void emit(ByteArrayOutputStream code, int... bytes) {
    for (int b : bytes) {
      code.write(b);
    }
  }
}
