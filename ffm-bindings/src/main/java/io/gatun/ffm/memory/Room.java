package io.gatun.ffm.memory;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;

/** Reserved addresses: {@code inner} lies in them with at least a page on either side. */
record Room(long start, long length, long inner, long innerBytes) {
  static Room reserve(String name, long bytes, long unit) {
    if (bytes <= 0) {
      throw new IllegalArgumentException(name + ": an area of " + bytes + " bytes");
    }
    long innerBytes = (bytes + unit - 1) & -unit;
    long length =
        innerBytes + NativeArea.PAGE + unit + (unit == NativeArea.PAGE ? 0 : NativeArea.PAGE);
    int flags = Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_NORESERVE;
    long start =
        NativeException.check(
            Libc.mmap(0, length, Libc.PROT_NONE, flags, -1, 0),
            "reserve " + length + " bytes of addresses for " + name,
            "raise vm.max_map_count or ulimit -v");
    long inner = (start + NativeArea.PAGE + unit - 1) & -unit;
    return new Room(start, length, inner, innerBytes);
  }

  /** Of the call that was to fill the room: when it failed, the room is given back. */
  void check(long result, String name, String remedy) {
    if (result < 0) {
      release();
      NativeException.check(result, "map " + innerBytes + " bytes for " + name, remedy);
    }
  }

  /** Gives the addresses back. */
  void release() {
    Libc.munmap(start, length);
  }

  /**
   * Anonymous memory at {@code offset}: on reserved huge pages if it can be, else on transparent
   * ones where the kernel grants them.
   */
  void populate(String name, long offset, long bytes) {
    long at = inner + offset;
    boolean large = bytes >= NativeArea.HUGE_PAGE;
    int flags = Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_FIXED;
    if (large) {
      int huge = flags | Libc.MAP_HUGETLB | Libc.MAP_POPULATE;
      if (Libc.mmap(at, bytes, NativeArea.READ_WRITE, huge, -1, 0) == at) {
        return;
      }
    }
    String remedy = "free memory or ask for less";
    String what = "map " + bytes + " bytes for " + name;
    NativeException.check(Libc.mmap(at, bytes, NativeArea.READ_WRITE, flags, -1, 0), what, remedy);
    if (large) {
      // Only advice: where transparent huge pages are off we live on small ones.
      Libc.madvise(at, bytes, Libc.MADV_HUGEPAGE);
    }
    NativeException.check(
        Libc.madvise(at, bytes, Libc.MADV_POPULATE_WRITE), what, remedy + " (needs Linux 5.14)");
  }

  NativeArea area(String name, long bytes) {
    return new NativeArea(name, inner, bytes, start, length);
  }
}
