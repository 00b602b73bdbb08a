package io.gatun.flow;

import static io.gatun.flow.FlowLayout.FLOW_BYTES;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.memory.GrowingArea;
import io.gatun.ffm.memory.Memory;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The flows' memory as a file that outlives the process, also one that was killed: a restarted one
 * finds its connections where it left them. Opened and closed by one thread; one process at a time,
 * by flock(2): a successor that has a living process' file open ({@link #follow}) only waits.
 *
 * <pre>
 *   0     magic, layout, boot id, how many flows were ever touched
 *   4096  the annex: what somebody else keeps here
 *         a flow of zeros, then the flows (see {@link FlowLayout})
 * </pre>
 *
 * <p>Only flows are in it. What finds them (buckets, free lists, locks) is private memory, made
 * anew from the flows that are marked as published; a flow that was not yet, or not any more, is
 * absent. It grows with the table, allocated before it is used, so that a store never meets a full
 * file system, and on tmpfs or hugetlbfs, so that it never waits for a disk. A file of another
 * layout, boot or kind is set aside, never trusted: times in it are CLOCK_MONOTONIC's.
 */
public final class FlowFile implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("gatun.flow");

  private static final long MAGIC = 0x0A_67_61_74_75_6E_46_31L; // "\ngatunF1"
  private static final int MAGIC_AT = 0;
  private static final int LAYOUT_AT = 8;
  private static final int BOOT_AT = 16;
  private static final int TOUCHED_AT = 32;
  private static final int HEADER = 4096;

  /** A huge page: the file is a multiple of it, so that it may lie on such. */
  private static final long UNIT = 2L << 20;

  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(2);

  private final StateDirectory state;
  private final Path path;
  private final int descriptor;
  private final GrowingArea area;
  private final Annex annex;
  private int room;

  private FlowFile(
      StateDirectory state, Path path, int descriptor, GrowingArea area, int room, Annex annex) {
    this.annex = annex;
    this.state = state;
    this.path = path;
    this.descriptor = descriptor;
    this.area = area;
    this.room = room;
  }

  /**
   * Memory in the file that is somebody else's, so that it outlives the process with the flows.
   *
   * @param layout changes whenever what is in there cannot be read any more
   */
  public record Annex(long bytes, long layout) {
    public static final Annex NONE = new Annex(0, 0);
  }

  /**
   * Opens {@code flows} in {@code directory}, which is made if it is missing, for {@code maxFlows}
   * flows; an exception says in one line why that is not possible.
   */
  public static FlowFile open(Path directory, int maxFlows) throws IOException {
    return open(directory, maxFlows, FlowTable.FIRST, Annex.NONE);
  }

  /** The same with room for {@code first} flows, and for those that are in it. */
  public static FlowFile open(Path directory, int maxFlows, int first, Annex annex)
      throws IOException {
    StateDirectory state = StateDirectory.prepare(directory);
    Path path = state.path().resolve("flows");
    int descriptor = locked(path);
    try {
      String fault = fault(path, maxFlows, annex);
      if (fault != null) {
        Path aside = state.path().resolve("flows.set-aside");
        Files.move(path, aside, StandardCopyOption.REPLACE_EXISTING);
        LOG.log(Level.WARNING, "{0}: {1}; set aside as {2}", path, fault, aside.getFileName());
        Libc.close(descriptor);
        descriptor = locked(path);
      }
      return map(state, path, descriptor, maxFlows, first, annex);
    } catch (IOException | RuntimeException e) {
      Libc.close(descriptor);
      throw e;
    }
  }

  /**
   * The same of a process that still lives, for who is about to take its place: nothing may be read
   * from it or written to it before that one has let go, and then comes {@link #lock}.
   */
  public static FlowFile follow(Path directory, int maxFlows, Annex annex) throws IOException {
    StateDirectory state = StateDirectory.prepare(directory);
    Path path = state.path().resolve("flows");
    int descriptor = opened(path);
    try {
      String fault = Files.size(path) == 0 ? "nobody's" : fault(path, maxFlows, annex);
      if (fault != null) {
        throw new IOException("%s cannot be taken over: %s".formatted(path, fault));
      }
      return map(state, path, descriptor, maxFlows, FlowTable.FIRST, annex);
    } catch (IOException | RuntimeException e) {
      Libc.close(descriptor);
      throw e;
    }
  }

  /** After {@link #follow}: from now on the file is ours alone; its owner is ending. */
  public void lock() throws IOException {
    lock(path, descriptor);
  }

  private static FlowFile map(
      StateDirectory state, Path path, int descriptor, int maxFlows, int first, Annex annex)
      throws IOException {
    int room = Math.min(maxFlows, Math.max(first, roomIn(Files.size(path), annex)));
    GrowingArea area =
        GrowingArea.ofFile(
            path.toString(),
            descriptor,
            Math.max(UNIT, bytes(maxFlows, annex)),
            bytes(room, annex));
    long header = area.address();
    if (Memory.getLong(header + MAGIC_AT) == 0) {
      Memory.putLong(header + LAYOUT_AT, layout(annex));
      UUID boot = boot();
      Memory.putLong(header + BOOT_AT, boot.getMostSignificantBits());
      Memory.putLong(header + BOOT_AT + 8, boot.getLeastSignificantBits());
      Memory.putInt(header + TOUCHED_AT, 0);
    }
    Memory.putLongRelease(header + MAGIC_AT, MAGIC);
    return new FlowFile(state, path, descriptor, area, room, annex);
  }

  private static long bytes(int flows, Annex annex) {
    return HEADER + annex.bytes + (flows + 1L) * FLOW_BYTES;
  }

  /** Flows that a file of this length has room for. */
  private static int roomIn(long bytes, Annex annex) {
    return (int) Math.max(0, (bytes - HEADER - annex.bytes) / FLOW_BYTES - 1);
  }

  /** Flows that there is room for. */
  int room() {
    return room;
  }

  /** The memory, which is grown by {@link #grow} only. */
  GrowingArea area() {
    return area;
  }

  /** Has room for {@code flows} flows from now on; an exception leaves everything as it is. */
  void grow(int flows) {
    area.grow(bytes(flows, annex));
    room = Math.max(room, flows);
  }

  private static int opened(Path path) {
    return (int)
        NativeException.check(
            Libc.open(path.toString(), Libc.O_RDWR | Libc.O_CREAT | Libc.O_CLOEXEC),
            "open " + path,
            "the directory must exist and be writable");
  }

  private static int locked(Path path) throws IOException {
    int descriptor = opened(path);
    try {
      lock(path, descriptor);
    } catch (IOException e) {
      Libc.close(descriptor);
      throw e;
    }
    return descriptor;
  }

  /** A process that is just dying may hold the lock for a moment. */
  private static void lock(Path path, int descriptor) throws IOException {
    long end = System.nanoTime() + PATIENCE;
    while (Libc.flock(descriptor, Libc.LOCK_EX | Libc.LOCK_NB) != 0) {
      if (System.nanoTime() > end) {
        throw new IOException(path + " belongs to another process that is still running");
      }
      try {
        TimeUnit.MILLISECONDS.sleep(5);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }

  /** Why what the file says of itself cannot be ours; null for a good or an empty one. */
  private static @Nullable String fault(Path path, int maxFlows, Annex annex) throws IOException {
    long size = Files.size(path);
    if (size == 0) {
      return null;
    }
    ByteBuffer header = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      while (header.hasRemaining() && channel.read(header) > 0) {
        // until it is full or the file ends
      }
    }
    if (header.hasRemaining() || header.getLong(MAGIC_AT) != MAGIC) {
      // Zeros alone are what a process leaves that died before it wrote the header.
      return header.hasRemaining() || header.getLong(MAGIC_AT) != 0 ? "no flow file" : null;
    }
    if (header.getLong(LAYOUT_AT) != layout(annex)) {
      return "flows of another version";
    }
    UUID boot = boot();
    if (header.getLong(BOOT_AT) != boot.getMostSignificantBits()
        || header.getLong(BOOT_AT + 8) != boot.getLeastSignificantBits()) {
      return "flows of another boot";
    }
    int touched = header.getInt(TOUCHED_AT);
    int room = roomIn(size, annex);
    if (touched < 0 || touched > room) {
      return "damaged: %d flows in room for %d".formatted(touched, room);
    }
    if (touched > maxFlows) {
      return "%d flows, more than conntrack.maxFlows, which is %d".formatted(touched, maxFlows);
    }
    return null;
  }

  /** Changes with every offset and number that a flow in the file depends on. */
  private static long layout(Annex annex) {
    int[] facts = {
      FLOW_BYTES,
      FlowLayout.KEY,
      FlowLayout.ADDRESSES,
      FlowLayout.LAST_SEEN,
      FlowLayout.DIRECTION,
      FlowLayout.STATE,
      FlowLayout.SERVICE,
      FlowLayout.CREATED,
      FlowLayout.PUBLISHED,
      FlowLayout.IPV4,
      FlowLayout.IPV6,
      Arrays.toString(FlowState.values()).hashCode(),
      ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? 1 : 2,
      Ticks.ofSeconds(1000)
    };
    long hash = 0xcbf29ce484222325L; // FNV-1a
    for (int fact : facts) {
      hash = (hash ^ fact) * 0x100000001b3L;
    }
    hash = (hash ^ annex.bytes) * 0x100000001b3L;
    return (hash ^ annex.layout) * 0x100000001b3L;
  }

  private static UUID boot() {
    try {
      return UUID.fromString(Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip());
    } catch (IOException e) {
      throw new IllegalStateException("/proc is not mounted: mount -t proc proc /proc", e);
    }
  }

  /** Where the flow of zeros stands. */
  long flows() {
    return area.address() + HEADER + annex.bytes;
  }

  /** Where the annex stands: zeros in a new file. */
  public long annex() {
    return area.address() + HEADER;
  }

  /** How many flows were ever in use: those below this number have to be looked at. */
  int touched() {
    return Memory.getInt(area.address() + TOUCHED_AT);
  }

  /** Where that number stands. */
  long touchedAt() {
    return area.address() + TOUCHED_AT;
  }

  /**
   * Deletes the file and what was mounted for it: the connections are somebody else's now. What is
   * mapped stays until {@link #close}.
   */
  public void remove() {
    try {
      Files.deleteIfExists(path);
      state.remove();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "cannot delete {0}: {1}", path, e.getMessage());
    }
  }

  /** Gives memory and lock back, the file stays; no worker may be running. */
  @Override
  public void close() {
    area.close();
    Libc.close(descriptor);
  }
}
