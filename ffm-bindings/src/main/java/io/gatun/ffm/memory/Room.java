package io.gatun.ffm.memory;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;

/**
 * Reserved addresses: {@code inner} lies in them with at least a page on either side.
 *
 * <p>Nothing is ever mapped over them by {@code MAP_FIXED}: a kernel that cannot (Linux 6.18, say,
 * when there are too few huge pages) has taken the old mapping away before it says so. What any
 * thread of the process maps then, a heap of malloc's or the compiler's, lies in the middle of our
 * reservation, and whatever we do there next destroys it. So pages are made accessible where they
 * are, or mapped elsewhere, which is what can fail, and then moved in. Should the move fail after
 * all, the room is never touched again.
 */
final class Room {
  private final long start;
  private final long length;
  private final long inner;
  private final long innerBytes;

  /** Part of {@code inner} may be somebody else's: see {@link #moveIn}. */
  private boolean lost;

  private Room(long start, long length, long inner, long innerBytes) {
    this.start = start;
    this.length = length;
    this.inner = inner;
    this.innerBytes = innerBytes;
  }

  /** Addresses for {@code bytes} bytes in units of {@code unit}, a page or a huge one. */
  static Room reserve(String name, long bytes, long unit) {
    if (bytes <= 0) {
      throw new IllegalArgumentException(name + ": an area of " + bytes + " bytes");
    }
    long innerBytes = (bytes + unit - 1) & -unit;
    long length =
        innerBytes + NativeArea.PAGE + unit + (unit == NativeArea.PAGE ? 0 : NativeArea.PAGE);
    long start =
        NativeException.check(
            Libc.mmap(0, length, Libc.PROT_NONE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0),
            "reserve " + length + " bytes of addresses for " + name,
            "raise vm.max_map_count or ulimit -v");
    long inner = (start + NativeArea.PAGE + unit - 1) & -unit;
    return new Room(start, length, inner, innerBytes);
  }

  /** The first byte that can become accessible. */
  long inner() {
    return inner;
  }

  long innerBytes() {
    return innerBytes;
  }

  /** Gives the addresses back, and what is mapped there. */
  void release() {
    if (!lost) {
      Libc.munmap(start, length);
    }
  }

  /**
   * Anonymous memory at {@code offset}: on reserved huge pages if it can be, else on transparent
   * ones where the kernel grants them.
   */
  void populate(String name, long offset, long bytes) {
    if (bytes >= NativeArea.HUGE_PAGE) {
      int flags = Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_HUGETLB | Libc.MAP_POPULATE;
      long mapping = Libc.mmap(0, bytes, NativeArea.READ_WRITE, flags, -1, 0);
      if (mapping >= 0) {
        moveIn(name, mapping, offset, bytes);
        return;
      }
    }
    long at = inner + offset;
    String what = "map " + bytes + " bytes for " + name;
    String remedy = "free memory or ask for less";
    NativeException.check(Libc.mprotect(at, bytes, NativeArea.READ_WRITE), what, remedy);
    fault(what, at, bytes, remedy);
  }

  /**
   * {@code bytes} bytes of what {@code fd} offers from {@code from} on, mapped shared at {@code
   * offset}.
   *
   * @param flags more of mmap's, {@code MAP_POPULATE} say
   */
  void share(String name, int fd, long from, long offset, long bytes, int flags) {
    long mapping =
        NativeException.check(
            Libc.mmap(0, bytes, NativeArea.READ_WRITE, Libc.MAP_SHARED | flags, fd, from),
            "map " + bytes + " bytes for " + name,
            "the descriptor must be open for reading and writing and be that long");
    moveIn(name, mapping, offset, bytes);
  }

  /**
   * A file from {@code offset} on, at {@code offset}: on huge pages, if its file system has them,
   * and populated.
   */
  void shareFile(String name, int fd, long offset, long bytes) {
    share(name, fd, offset, offset, bytes, 0);
    String remedy = "free memory or space on that file system";
    fault("populate " + bytes + " bytes for " + name, inner + offset, bytes, remedy);
  }

  /** Has every page there, so that no access faults later. */
  private static void fault(String what, long at, long bytes, String remedy) {
    if (bytes >= NativeArea.HUGE_PAGE) {
      // Only advice: where transparent huge pages are off we live on small ones. For shared memory
      // heeded where /sys/kernel/mm/transparent_hugepage/shmem_enabled says "advise".
      Libc.madvise(at, bytes, Libc.MADV_HUGEPAGE);
    }
    NativeException.check(
        Libc.madvise(at, bytes, Libc.MADV_POPULATE_WRITE), what, remedy + " (needs Linux 5.14)");
  }

  /** After it fails nobody knows whose the addresses are: they are nobody's from then on. */
  private void moveIn(String name, long mapping, long offset, long bytes) {
    int flags = Libc.MREMAP_MAYMOVE | Libc.MREMAP_FIXED;
    long result = Libc.mremap(mapping, bytes, bytes, flags, inner + offset);
    if (result < 0) {
      lost = true;
      Libc.munmap(mapping, bytes);
      NativeException.check(
          result, "move " + bytes + " bytes for " + name, "raise vm.max_map_count");
    }
  }
}
