package io.gatun.port.pcap;

import io.gatun.ffm.memory.Memory;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.port.Port;
import io.gatun.ring.frame.FramePool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Receives a capture file and sends into another; for one worker. Either may be missing. A file
 * that turns out to be broken ends the receiving; {@link #failure} then says where.
 */
public final class PcapPort implements Port {
  /** Where packets start in a chunk, as AF_XDP leaves it. */
  private static final int HEADROOM = 256;

  private final int number;
  private final String name;
  private final FramePool pool;
  private final byte[] record;
  private @Nullable PcapReader reader;
  private @Nullable PcapWriter writer;
  private @Nullable String failure;
  private final long[] sent = new long[PacketVector.CAPACITY];
  private int sentCount;

  /** {@code receive} is read, {@code send} is created; null leaves that direction out. */
  public PcapPort(
      int number, String name, FramePool pool, @Nullable Path receive, @Nullable Path send)
      throws IOException {
    this.number = number;
    this.name = name;
    this.pool = pool;
    this.record = new byte[pool.depot().frameBytes() - HEADROOM];
    this.reader = receive == null ? null : new PcapReader(receive);
    this.writer = send == null ? null : new PcapWriter(send);
  }

  @Override
  public int number() {
    return number;
  }

  @Override
  public String name() {
    return name;
  }

  /** What was wrong with a file, null when nothing was. */
  public @Nullable String failure() {
    return failure;
  }

  /** True when the whole file has been received (or none was given). */
  public boolean exhausted() {
    return reader == null;
  }

  @Override
  public int rx(PacketVector packets, int limit) {
    int room = Math.min(limit, PacketVector.CAPACITY - packets.size);
    int received = 0;
    while (received < room && reader != null) {
      long chunk = pool.take();
      if (chunk == 0) {
        break;
      }
      int bytes = nextRecord(reader);
      if (bytes == PcapReader.END) {
        pool.give(chunk);
        break;
      }
      Memory.copyIn(record, 0, chunk + HEADROOM, bytes);
      packets.append(chunk, chunk + HEADROOM, bytes, number);
      received++;
    }
    return received;
  }

  private int nextRecord(PcapReader from) {
    int bytes;
    try {
      bytes = from.next(record);
      if (bytes == PcapReader.END) {
        from.close();
        reader = null;
      }
    } catch (IOException e) {
      failure = e.getMessage();
      reader = null;
      bytes = PcapReader.END;
    }
    return bytes;
  }

  @Override
  public boolean tx(PacketVector packets, int index) {
    if (writer == null || packets.length[index] > PcapFile.SNAP_LENGTH) {
      packets.dropReason[index] = DropReason.PORT_DOWN.code();
      return false;
    }
    if (sentCount == sent.length) {
      packets.dropReason[index] = DropReason.TX_RING_FULL.code();
      return false;
    }
    try {
      writer.write(
          packets.address[index], packets.length[index], System.currentTimeMillis() * 1_000_000L);
    } catch (IOException e) {
      failure = e.getMessage();
      writer = null;
      packets.dropReason[index] = DropReason.PORT_DOWN.code();
      return false;
    }
    sent[sentCount++] = packets.frame[index];
    return true;
  }

  @Override
  public void flush() {}

  @Override
  public int reclaim() {
    int reclaimed = sentCount;
    while (sentCount > 0) {
      pool.give(sent[--sentCount]);
    }
    return reclaimed;
  }

  @Override
  public void close() {
    reclaim();
    try {
      if (reader != null) {
        reader.close();
      }
      if (writer != null) {
        writer.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(name + ": the capture could not be completed", e);
    } finally {
      reader = null;
      writer = null;
    }
  }
}
