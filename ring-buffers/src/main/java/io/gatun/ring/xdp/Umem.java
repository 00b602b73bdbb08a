package io.gatun.ring.xdp;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ring.frame.FrameDepot;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The memory of all AF_XDP sockets of the process: one native area of chunks and their depot.
 * Opening and closing sockets is safe from any thread; frames are taken through per-worker pools.
 *
 * <p>The kernel sees it as two UMEMs over the same mapping, one for copy-mode and one for zero-copy
 * sockets, because all sockets of a UMEM must be of one mode. Each is registered by the first
 * socket of its mode; later ones share it with any socket that still lives, and register it anew
 * when none does. So no socket is special, and ports come and go in any order.
 */
public final class Umem implements AutoCloseable {
  /**
   * Bytes of struct xsk_tx_metadata, which stand in front of a packet whose checksum is partial.
   */
  public static final int TX_METADATA = 24;

  private static final int MAX_SOCKETS = Character.MAX_VALUE;

  private static final int PRIVATE = -1;

  private final NativeArea area;
  private final int descriptor;
  private final FrameDepot depot;
  private final Custody custody;
  private final List<XdpSocket> sockets = new ArrayList<>();
  private final BitSet numbers = new BitSet();

  private Umem(NativeArea area, int descriptor, FrameDepot depot) {
    this.area = area;
    this.descriptor = descriptor;
    this.depot = depot;
    this.custody = new Custody(depot);
  }

  /** Memory for {@code frames} frames of {@link FrameDepot#CHUNK} bytes. */
  public static Umem create(int frames) {
    return create(frames, FrameDepot.CHUNK);
  }

  /**
   * Maps and populates {@code frames × chunk} bytes, on huge pages if there are any.
   *
   * @param chunk bytes of a frame: 2048, or 4096 for MTUs above 1,770
   */
  public static Umem create(int frames, int chunk) {
    if (chunk != 2048 && chunk != 4096) {
      throw new IllegalArgumentException(
          "chunks of %d bytes: AF_XDP takes 2048 or 4096".formatted(chunk));
    }
    NativeArea area = NativeArea.map("umem", (long) frames * chunk);
    return new Umem(area, PRIVATE, new FrameDepot(area.address(), chunk, frames));
  }

  /** The same in memory that a successor can {@link #adopt}. */
  public static Umem createShared(int frames) {
    NativeArea.Shared memory = NativeArea.mapShared("umem", (long) frames * FrameDepot.CHUNK);
    return new Umem(
        memory.area(),
        memory.descriptor(),
        new FrameDepot(memory.area().address(), FrameDepot.CHUNK, frames));
  }

  /**
   * Maps the memory of another process, which may still be using it; no frame of it is free before
   * {@link #restore}.
   *
   * @param descriptor our own descriptor of it, closed with it
   * @param frames as many as the other process said
   */
  public static Umem adopt(int descriptor, int frames) {
    long bytes = (long) frames * FrameDepot.CHUNK;
    NativeArea area = NativeArea.mapLarge("inherited umem", descriptor, bytes);
    return new Umem(area, descriptor, FrameDepot.allHeld(area.address(), FrameDepot.CHUNK, frames));
  }

  /** By which a successor maps it; negative for memory that cannot be shared. */
  public int descriptor() {
    return descriptor;
  }

  /**
   * For which socket the kernel holds each frame, 0 for none: for who is to {@link #restore} it.
   * All workers must have stopped.
   */
  public CharBuffer custodies() {
    return custody.snapshot();
  }

  /** Goes on with what the other process, which uses it no more, wrote down at its end. */
  public void restore(CharBuffer custodies) {
    if (custodies.remaining() != depot.frames()) {
      throw new IllegalArgumentException(
          "%d frames, expected %d".formatted(custodies.remaining(), depot.frames()));
    }
    custody.restore(custodies, depot);
  }

  /** All frames that no pool holds. Make one {@code FramePool} per worker from it. */
  public FrameDepot depot() {
    return depot;
  }

  /** Address of the first chunk; descriptors count from here. */
  public long address() {
    return area.address();
  }

  /** Bytes of all chunks. */
  public long bytes() {
    return area.bytes();
  }

  /** Sockets that are open. */
  public synchronized int sockets() {
    return sockets.size();
  }

  Custody custody() {
    return custody;
  }

  synchronized char number() {
    int number = numbers.nextClearBit(1); // 0 means nobody
    if (number > MAX_SOCKETS) {
      throw new IllegalStateException("%d sockets are open on one memory".formatted(MAX_SOCKETS));
    }
    numbers.set(number);
    return (char) number;
  }

  synchronized void numberTaken(char number) {
    if (numbers.get(number)) {
      throw new IllegalStateException("two sockets are number %d".formatted((int) number));
    }
    numbers.set(number);
  }

  /** Open sockets of {@code mode}, any of which a new one can share the UMEM with. */
  synchronized List<XdpSocket> partners(XdpMode mode) {
    return sockets.stream().filter(s -> s.mode() == mode).toList();
  }

  synchronized void opened(XdpSocket socket) {
    sockets.add(socket);
  }

  synchronized void closed(XdpSocket socket) {
    sockets.remove(socket);
  }

  synchronized void numberFree(char number) {
    numbers.clear(number);
  }

  /** Unmaps the memory. All sockets must be closed and all workers stopped. */
  @Override
  public synchronized void close() {
    if (!sockets.isEmpty()) {
      throw new IllegalStateException(
          "%d sockets still stand on this memory: close them first".formatted(sockets.size()));
    }
    area.close();
    if (descriptor != PRIVATE) {
      Libc.close(descriptor);
    }
  }
}
