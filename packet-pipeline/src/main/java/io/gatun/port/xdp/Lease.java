package io.gatun.port.xdp;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.bpf.Bpf;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.nio.file.Path;

/**
 * Until when frames are ours: one word that every stub of the node compares the clock with before
 * anything else. One release store renews all interfaces. Safe for use by many threads; close it
 * last.
 *
 * <p>The word lives in a pinned BPF array that is mapped here, so it outlives us: the lease of a
 * killed process runs on to its end, and then the kernel forwards.
 */
public final class Lease implements AutoCloseable {
  static final String PIN = "lease";

  private final int mapFd;
  private final boolean inherited;
  private final NativeArea area;

  private Lease(int mapFd, boolean inherited) {
    this.mapFd = mapFd;
    this.inherited = inherited;
    this.area = Bpf.mapArray("lease", mapFd, Long.BYTES, 1);
  }

  /** The node's lease: the pinned one, or a new one that has run out. */
  public static Lease open(Pins pins) {
    Path path = pins.root().resolve(PIN);
    int fd = Bpf.get(path.toString());
    if (fd >= 0) {
      return new Lease(fd, true);
    }
    if (fd != -Errno.ENOENT) {
      throw new NativeException("open " + path, fd, "needs CAP_BPF");
    }
    fd =
        Bpf.createMap(
            Bpf.MAP_TYPE_ARRAY, Integer.BYTES, Long.BYTES, 1, Bpf.BPF_F_MMAPABLE, "gatun_lease");
    Pins.pin(fd, path, "the lease");
    return new Lease(fd, false);
  }

  /** Frames are ours until {@code until}, in nanoseconds of CLOCK_MONOTONIC. */
  public void renew(long until) {
    Memory.putLongRelease(area.address(), until); // read by the stub on every CPU
  }

  /** From this moment all frames go to the kernel. */
  public void expire() {
    renew(0);
  }

  /** When it runs out, in nanoseconds of CLOCK_MONOTONIC; 0 when it never was renewed. */
  public long until() {
    return Memory.getLongAcquire(area.address());
  }

  int mapFd() {
    return mapFd;
  }

  /** True when a predecessor's was found. */
  boolean inherited() {
    return inherited;
  }

  /** Lets go of the memory; the lease itself stays pinned and runs on. */
  @Override
  public void close() {
    area.close();
    Libc.close(mapFd);
  }
}
