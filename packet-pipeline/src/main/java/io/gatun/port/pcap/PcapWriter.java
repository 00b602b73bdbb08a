package io.gatun.port.pcap;

import io.gatun.ffm.memory.Memory;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes a capture file, nanosecond resolution, little-endian; for one thread. */
public final class PcapWriter implements AutoCloseable {
  private final OutputStream out;
  private final byte[] record = new byte[PcapFile.RECORD + PcapFile.SNAP_LENGTH];
  private final ByteBuffer fields = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);

  /** Creates {@code file} anew. */
  public PcapWriter(Path file) throws IOException {
    out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
    ByteBuffer header = ByteBuffer.allocate(PcapFile.HEADER).order(ByteOrder.LITTLE_ENDIAN);
    header.putInt(0, PcapFile.MAGIC_NANOSECONDS);
    header.putShort(PcapFile.VERSION_MAJOR_AT, (short) 2);
    header.putShort(PcapFile.VERSION_MINOR_AT, (short) 4);
    header.putInt(PcapFile.SNAP_LENGTH_AT, PcapFile.SNAP_LENGTH);
    header.putInt(PcapFile.LINK_TYPE_AT, PcapFile.ETHERNET);
    out.write(header.array());
  }

  /** Appends {@code bytes} bytes at {@code address}, captured at {@code nanoseconds} since 1970. */
  public void write(long address, int bytes, long nanoseconds) throws IOException {
    Memory.copyOut(address, record, PcapFile.RECORD, bytes);
    writeRecord(bytes, nanoseconds);
  }

  /** Appends {@code frame}, captured at {@code nanoseconds} since 1970. */
  public void write(byte[] frame, long nanoseconds) throws IOException {
    System.arraycopy(frame, 0, record, PcapFile.RECORD, frame.length);
    writeRecord(frame.length, nanoseconds);
  }

  private void writeRecord(int bytes, long nanoseconds) throws IOException {
    fields.putInt(0, (int) (nanoseconds / 1_000_000_000L));
    fields.putInt(PcapFile.FRACTION_AT, (int) (nanoseconds % 1_000_000_000L));
    fields.putInt(PcapFile.CAPTURED_AT, bytes);
    fields.putInt(PcapFile.ON_WIRE_AT, bytes);
    out.write(record, 0, PcapFile.RECORD + bytes);
  }

  /** Writes through what is still buffered. */
  public void flush() throws IOException {
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
