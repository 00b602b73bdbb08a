package io.gatun.ffm.packet;

import io.gatun.ffm.memory.Memory;

/**
 * struct virtio_net_hdr (linux/virtio_net.h), 10 bytes in host order, in front of every frame of a
 * socket with PACKET_VNET_HDR. Stateless; any thread. Nothing here is proved: what a pod sends can
 * put any value into any field.
 */
public final class VirtioNetHeader {
  public static final int BYTES = 10;

  private static final int FLAGS = 0;
  private static final int SEGMENT_TYPE = 1;
  private static final int HEADER_LENGTH = 2;
  private static final int SEGMENT_SIZE = 4;
  private static final int CHECKSUM_START = 6;
  private static final int CHECKSUM_OFFSET = 8;

  /** Flag: sum from {@link #checksumStart} to the end and store it {@link #checksumOffset} on. */
  public static final int NEEDS_CHECKSUM = 1;

  // Segment types.
  public static final int NONE = 0;
  public static final int TCP_V4 = 1;
  public static final int TCP_V6 = 4;

  /** UDP segments, each with a header of its own (USO); Linux 6.2. */
  public static final int UDP_L4 = 5;

  /**
   * Beside a TCP type: congestion window reduced is set, and belongs into the first segment only.
   */
  public static final int ECN = 0x80;

  private VirtioNetHeader() {}

  public static int flags(long header) {
    return Memory.getByte(header + FLAGS);
  }

  /** {@link #NONE} or how the frame is to be cut, without {@link #ECN}. */
  public static int segmentType(long header) {
    return Memory.getByte(header + SEGMENT_TYPE) & ~ECN;
  }

  /** Bytes of all headers; from the kernel a hint: whatever its buffer has in one piece. */
  public static int headerLength(long header) {
    return Memory.getShort(header + HEADER_LENGTH);
  }

  /** Payload bytes of a segment. */
  public static int segmentSize(long header) {
    return Memory.getShort(header + SEGMENT_SIZE);
  }

  /** Offset from the Ethernet header. */
  public static int checksumStart(long header) {
    return Memory.getShort(header + CHECKSUM_START);
  }

  /** Offset from {@link #checksumStart}. */
  public static int checksumOffset(long header) {
    return Memory.getShort(header + CHECKSUM_OFFSET);
  }

  /** A frame that is whole: nothing to be done to it. */
  public static void writePlain(long header) {
    Memory.putLong(header, 0);
    Memory.putShort(header + CHECKSUM_OFFSET, 0);
  }

  /**
   * A frame whose checksum is to be completed and which is, unless {@code type} is {@link #NONE},
   * to be cut into segments of {@code segmentSize} payload bytes.
   */
  public static void write(
      long header, int type, int headerLength, int segmentSize, int start, int offset) {
    Memory.putInt(header, NEEDS_CHECKSUM | type << 8 | headerLength << 16);
    Memory.putInt(header + SEGMENT_SIZE, segmentSize | start << 16);
    Memory.putShort(header + CHECKSUM_OFFSET, offset);
  }
}
