package io.gatun.ffm.memory;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;

/**
 * Memory that grows where it is, between two guards: addresses for all of it are reserved at once,
 * what is there is populated, so that no access faults later. Made, grown and closed by one thread;
 * what was there before stays usable by others meanwhile.
 */
public final class GrowingArea implements AutoCloseable {
  private static final int ANONYMOUS = -1;

  private final String name;
  private final Room room;
  private final long unit;
  private final int descriptor;
  private long present;
  private boolean closed;

  private GrowingArea(String name, int descriptor, long most, long bytes) {
    this.name = name;
    this.descriptor = descriptor;
    unit = most >= NativeArea.HUGE_PAGE ? NativeArea.HUGE_PAGE : NativeArea.PAGE;
    room = Room.reserve(name, most, unit);
    try {
      grow(bytes);
    } catch (NativeException e) {
      room.release();
      throw e;
    }
  }

  /** Anonymous memory: {@code bytes} now, {@code most} in the end. */
  public static GrowingArea anonymous(String name, long most, long bytes) {
    return new GrowingArea(name, ANONYMOUS, most, bytes);
  }

  /**
   * A file mapped shared from its beginning; it grows with the area, its blocks reserved, so that a
   * store never meets a full file system. It is a multiple of 2 MiB long, if it is that large.
   */
  public static GrowingArea ofFile(String name, int descriptor, long most, long bytes) {
    return new GrowingArea(name, descriptor, most, bytes);
  }

  /** Makes the first {@code bytes} bytes accessible; what is there already stays as it is. */
  public void grow(long bytes) {
    long wanted = Math.min((bytes + unit - 1) & -unit, room.innerBytes());
    if (wanted <= present) {
      return;
    }
    if (descriptor == ANONYMOUS) {
      room.populate(name, present, wanted - present);
    } else {
      mapFile(wanted);
    }
    present = wanted;
    LiveAreas.add(room.inner(), present);
  }

  private void mapFile(long wanted) {
    NativeException.check(
        Libc.fallocate(descriptor, 0, wanted),
        "fallocate " + name,
        "free space on that file system or lower conntrack.maxFlows");
    room.shareFile(name, descriptor, present, wanted - present);
  }

  public long address() {
    return room.inner();
  }

  /** Unmaps everything; the second time it does nothing. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      LiveAreas.remove(room.inner());
      room.release();
    }
  }
}
