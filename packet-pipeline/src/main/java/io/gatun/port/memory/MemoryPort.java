package io.gatun.port.memory;

import io.gatun.ffm.memory.Memory;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.port.Port;
import io.gatun.ring.frame.FramePool;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An in-process loop; for one thread, the one that steps the worker.
 *
 * <p>What is pushed is received, in order, as if a NIC had written it into a chunk of the pool.
 * What is sent waits to be taken; {@link #CAPACITY} frames of it, then the port is full, as a ring
 * would be. A {@linkplain #replaying replaying} port receives the same frames over and over and
 * forgets what it sends.
 */
public final class MemoryPort implements Port {
  /** Frames that may wait in either direction. */
  public static final int CAPACITY = 1024;

  /** Where packets start in a chunk: XDP_PACKET_HEADROOM (linux/bpf.h), as AF_XDP leaves it. */
  public static final int HEADROOM = 256;

  private static final int MASK = CAPACITY - 1;

  private final int number;
  private final String name;
  private final FramePool pool;
  private final @Nullable Recording replayed;
  private final boolean swallows;
  private int nextReplayed;
  private final long[] taken = new long[PacketVector.CAPACITY];

  private final long[] arrived = new long[CAPACITY];
  private final int[] arrivedLength = new int[CAPACITY];
  private int arrivedHead;
  private int arrivedTail;

  private final long[] sentFrame = new long[CAPACITY];
  private final long[] sentAddress = new long[CAPACITY];
  private final int[] sentLength = new int[CAPACITY];
  private final int[] sentFlags = new int[CAPACITY];
  private int sentHead;
  private int sentTail;
  private int takenFlags;
  private boolean up = true;

  /** A port that receives what is {@linkplain #push pushed}. */
  public MemoryPort(int number, String name, FramePool pool) {
    this(number, name, pool, null, false);
  }

  private MemoryPort(
      int number, String name, FramePool pool, @Nullable Recording replayed, boolean swallows) {
    this.number = number;
    this.name = name;
    this.pool = pool;
    this.replayed = replayed;
    this.swallows = swallows;
  }

  /** A port that receives what is pushed and forgets what it sends. */
  public static MemoryPort swallowing(int number, String name, FramePool pool) {
    return new MemoryPort(number, name, pool, null, true);
  }

  /** A port that receives {@code frames} endlessly, in order, and swallows what it sends. */
  public static MemoryPort replaying(int number, String name, FramePool pool, List<byte[]> frames) {
    return replaying(number, name, pool, Recording.of(frames));
  }

  /**
   * The same from native memory, as a NIC would read it; {@code frames} is closed with the port.
   */
  public static MemoryPort replaying(int number, String name, FramePool pool, Recording frames) {
    checkRoom(pool, frames.slotBytes());
    return new MemoryPort(number, name, pool, frames, true);
  }

  @Override
  public int number() {
    return number;
  }

  @Override
  public String name() {
    return name;
  }

  /** Lets {@code frame} arrive; false when {@link #CAPACITY} wait already or the pool is empty. */
  public boolean push(byte[] frame) {
    if (arrivedTail - arrivedHead == CAPACITY) {
      return false;
    }
    long chunk = chunkWith(frame);
    if (chunk == 0) {
      return false;
    }
    arrived[arrivedTail & MASK] = chunk;
    arrivedLength[arrivedTail & MASK] = frame.length;
    arrivedTail++;
    return true;
  }

  /** The next frame sent, null when there is none; its memory goes back to the pool. */
  public byte @Nullable [] take() {
    if (sentHead == sentTail) {
      return null;
    }
    int slot = sentHead & MASK;
    byte[] bytes = new byte[sentLength[slot]];
    Memory.copyOut(sentAddress[slot], bytes, 0, bytes.length);
    takenFlags = sentFlags[slot];
    pool.give(sentFrame[slot]);
    sentHead++;
    return bytes;
  }

  /** {@link PacketVector#flags} with which the frame last taken was sent. */
  public int takenFlags() {
    return takenFlags;
  }

  /** Frames sent that wait to be taken. */
  public int waiting() {
    return sentTail - sentHead;
  }

  /** Pretends that the interface went away, or came back. */
  public void setUp(boolean isUp) {
    up = isUp;
  }

  @Override
  public boolean up() {
    return up;
  }

  @Override
  public int rx(PacketVector packets, int limit) {
    int room = Math.min(limit, PacketVector.CAPACITY - packets.size);
    return replayed == null ? pushed(packets, room) : replay(replayed, packets, room);
  }

  private int pushed(PacketVector packets, int room) {
    int burst = Math.min(room, arrivedTail - arrivedHead);
    for (int i = 0; i < burst; i++) {
      int slot = arrivedHead++ & MASK;
      packets.append(arrived[slot], arrived[slot] + HEADROOM, arrivedLength[slot], number);
    }
    return burst;
  }

  private int replay(Recording frames, PacketVector packets, int room) {
    int burst = pool.take(taken, room);
    int next = nextReplayed;
    int end = frames.size();
    for (int i = 0; i < burst; i++) {
      long chunk = taken[i];
      int bytes = frames.copy(next, chunk + HEADROOM);
      packets.append(chunk, chunk + HEADROOM, bytes, number);
      next = next + 1 == end ? 0 : next + 1;
    }
    nextReplayed = next;
    return burst;
  }

  private long chunkWith(byte[] frame) {
    checkRoom(pool, frame.length);
    long chunk = pool.take();
    if (chunk != 0) {
      Memory.copyIn(frame, 0, chunk + HEADROOM, frame.length);
    }
    return chunk;
  }

  private static void checkRoom(FramePool pool, int bytes) {
    if (bytes > pool.depot().frameBytes() - HEADROOM) {
      throw new IllegalArgumentException(
          "a frame of %d bytes does not fit a chunk of %d: make the depot with larger frames"
              .formatted(bytes, pool.depot().frameBytes()));
    }
  }

  @Override
  public boolean tx(PacketVector packets, int index) {
    if (!up) {
      packets.dropReason[index] = DropReason.PORT_DOWN.code();
      return false;
    }
    if (sentTail - sentHead == CAPACITY) {
      packets.dropReason[index] = DropReason.TX_RING_FULL.code();
      return false;
    }
    int slot = sentTail++ & MASK;
    sentFrame[slot] = packets.frame[index];
    sentAddress[slot] = packets.address[index];
    sentLength[slot] = packets.length[index];
    sentFlags[slot] = packets.flags[index];
    return true;
  }

  @Override
  public void flush() {}

  /** What a replaying or swallowing port sent goes back here; with others it waits to be taken. */
  @Override
  public int reclaim() {
    if (!swallows) {
      return 0;
    }
    int sent = sentTail - sentHead;
    while (sentHead != sentTail) {
      pool.give(sentFrame[sentHead++ & MASK]);
    }
    return sent;
  }

  /** Gives everything that waits back to the pool. */
  @Override
  public void close() {
    up = false;
    if (replayed != null) {
      replayed.close();
    }
    while (arrivedHead != arrivedTail) {
      pool.give(arrived[arrivedHead++ & MASK]);
    }
    while (sentHead != sentTail) {
      pool.give(sentFrame[sentHead++ & MASK]);
    }
  }
}
