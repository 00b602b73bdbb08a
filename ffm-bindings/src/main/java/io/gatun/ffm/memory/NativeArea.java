package io.gatun.ffm.memory;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * One mapping between two guard pages, known to {@link LiveAreas} until closed. Creating and
 * closing are for one thread; the memory itself has no owner.
 *
 * <p>An address range with the guards is reserved first and the memory moved into its middle, so
 * that nothing else can ever lie next to it.
 */
public final class NativeArea implements AutoCloseable {
  static final long PAGE = 4096;
  static final long HUGE_PAGE = 2L << 20;
  static final int READ_WRITE = Libc.PROT_READ | Libc.PROT_WRITE;

  private final String name;
  private final long address;
  private final long bytes;
  private final Room room;
  private boolean closed;

  private NativeArea(String name, Room room, long bytes) {
    this.name = name;
    this.room = room;
    this.address = room.inner();
    this.bytes = bytes;
    LiveAreas.add(address, bytes);
  }

  /** An area of {@code bytes} bytes, a multiple of {@code unit} mapped, filled by {@code fill}. */
  private static NativeArea in(String name, long bytes, long unit, Consumer<Room> fill) {
    Room room = Room.reserve(name, bytes, unit);
    try {
      fill.accept(room);
    } catch (NativeException e) {
      room.release();
      throw e;
    }
    return new NativeArea(name, room, bytes);
  }

  /**
   * Anonymous memory: zeroed and populated, so that no access faults later. From 2 MiB on it lies
   * on reserved huge pages ({@code vm.nr_hugepages}), else on transparent ones where the kernel
   * grants them.
   *
   * @param name for messages
   * @param bytes as many as will be accessible; the mapping is rounded up
   */
  public static NativeArea map(String name, long bytes) {
    long unit = bytes >= HUGE_PAGE ? HUGE_PAGE : PAGE;
    return in(name, bytes, unit, room -> room.populate(name, 0, room.innerBytes()));
  }

  /**
   * A file mapped shared, made {@code bytes} long with its blocks reserved if it is shorter;
   * created with mode 0600 if it is not there.
   */
  public static NativeArea mapFile(Path file, long bytes) {
    String path = file.toString();
    int fd =
        (int)
            NativeException.check(
                Libc.open(path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_CLOEXEC),
                "open " + path,
                "the directory must exist and be writable");
    try {
      NativeException.check(
          Libc.fallocate(fd, 0, bytes), "fallocate " + path, "free space on that file system");
      return mapDescriptor(path, fd, 0, bytes);
    } finally {
      Libc.close(fd);
    }
  }

  /** What {@code fd} offers at {@code offset}, mapped shared: a ring, a BPF map, a file. */
  public static NativeArea mapDescriptor(String name, int fd, long offset, long bytes) {
    return in(
        name,
        bytes,
        PAGE,
        room -> room.share(name, fd, offset, 0, room.innerBytes(), Libc.MAP_POPULATE));
  }

  /**
   * A file of {@code bytes} bytes, a multiple of 2 MiB, mapped shared from its beginning at an
   * address that lets it lie on huge pages, if its file system has them.
   */
  public static NativeArea mapLarge(String name, int fd, long bytes) {
    return in(name, bytes, HUGE_PAGE, room -> room.shareFile(name, fd, 0, room.innerBytes()));
  }

  /**
   * Memory that can be mapped once more by its descriptor, in another process too: zeroed and
   * populated, on reserved huge pages if there are enough. The descriptor is the caller's to close.
   */
  public static Shared mapShared(String name, long bytes) {
    long whole = (bytes + HUGE_PAGE - 1) & -HUGE_PAGE;
    try {
      return mapShared(name, whole, Libc.MFD_HUGETLB);
    } catch (NativeException e) {
      return mapShared(name, whole, 0);
    }
  }

  private static Shared mapShared(String name, long bytes, int flags) {
    String remedy = "free memory or ask for less";
    int fd =
        (int)
            NativeException.check(
                Libc.memfdCreate("gatun " + name, Libc.MFD_CLOEXEC | flags),
                "make memory for " + name,
                remedy);
    try {
      NativeException.check(Libc.ftruncate(fd, bytes), "make memory for " + name, remedy);
      return new Shared(mapLarge(name, fd, bytes), fd);
    } catch (RuntimeException e) {
      Libc.close(fd);
      throw e;
    }
  }

  /** An area and the descriptor by which it can be mapped again. */
  public record Shared(NativeArea area, int descriptor) {}

  public String name() {
    return name;
  }

  /** The first byte; page-aligned, from 2 MiB on aligned to 2 MiB. */
  public long address() {
    return address;
  }

  /** How many bytes are accessible, as asked for. */
  public long bytes() {
    return bytes;
  }

  /** Unmaps the area and its guards; the second time it does nothing. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      LiveAreas.remove(address);
      room.release();
    }
  }

  @Override
  public String toString() {
    return "%s [0x%x, %d bytes]".formatted(name, address, bytes);
  }
}
