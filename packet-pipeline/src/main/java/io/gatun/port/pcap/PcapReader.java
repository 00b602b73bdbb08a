package io.gatun.port.pcap;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads a capture file record by record; for one thread. */
public final class PcapReader implements AutoCloseable {
  /** What {@link #next} returns after the last record. */
  public static final int END = -1;

  private final Path file;
  private final InputStream in;
  private final byte[] head = new byte[PcapFile.RECORD];
  private final ByteBuffer fields = ByteBuffer.wrap(head);
  private final long fractionsPerSecond;
  private long records;
  private long nanoseconds;

  /** Opens {@code file} and checks its header. */
  public PcapReader(Path file) throws IOException {
    this.file = file;
    this.in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    try {
      this.fractionsPerSecond = readHeader();
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  private long readHeader() throws IOException {
    byte[] bytes = in.readNBytes(PcapFile.HEADER);
    if (bytes.length < PcapFile.HEADER) {
      throw new IOException(file + ": no capture file: shorter than its header of 24 bytes");
    }
    ByteBuffer header = ByteBuffer.wrap(bytes);
    ByteOrder order = ByteOrder.BIG_ENDIAN;
    int magic = header.getInt(0);
    if (magic == Integer.reverseBytes(PcapFile.MAGIC_MICROSECONDS)
        || magic == Integer.reverseBytes(PcapFile.MAGIC_NANOSECONDS)) {
      order = ByteOrder.LITTLE_ENDIAN;
      magic = Integer.reverseBytes(magic);
    }
    if (magic != PcapFile.MAGIC_MICROSECONDS && magic != PcapFile.MAGIC_NANOSECONDS) {
      throw new IOException(
          "%s: no classic capture file (magic 0x%08x); convert pcapng with: editcap -F pcap"
              .formatted(file, magic));
    }
    header.order(order);
    fields.order(order);
    int linkType = header.getInt(PcapFile.LINK_TYPE_AT) & 0xFFFF;
    if (linkType != PcapFile.ETHERNET) {
      throw new IOException(
          "%s: link type %d; only Ethernet (1) is read".formatted(file, linkType));
    }
    return magic == PcapFile.MAGIC_NANOSECONDS ? 1_000_000_000L : 1_000_000L;
  }

  /**
   * Puts the next record's bytes at the start of {@code into} and returns how many, or {@link
   * #END}. A record that is longer than {@code into} or cut by the end of the file is an error.
   */
  public int next(byte[] into) throws IOException {
    int read = in.readNBytes(head, 0, PcapFile.RECORD);
    if (read == 0) {
      return END;
    }
    records++;
    if (read < PcapFile.RECORD) {
      throw broken("its header is cut");
    }
    long captured = fields.getInt(PcapFile.CAPTURED_AT) & 0xFFFF_FFFFL;
    if (captured > into.length) {
      throw broken("%d bytes long, at most %d are read".formatted(captured, into.length));
    }
    int bytes = (int) captured;
    if (in.readNBytes(into, 0, bytes) < bytes) {
      throw broken("says %d bytes, the file ends before".formatted(bytes));
    }
    nanoseconds =
        (fields.getInt(0) & 0xFFFF_FFFFL) * 1_000_000_000L
            + (fields.getInt(PcapFile.FRACTION_AT) & 0xFFFF_FFFFL)
                * (1_000_000_000L / fractionsPerSecond);
    return bytes;
  }

  /** When the record last read was captured, in nanoseconds since 1970. */
  public long nanoseconds() {
    return nanoseconds;
  }

  private IOException broken(String how) {
    return new IOException("%s: record %d: %s".formatted(file, records, how));
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
