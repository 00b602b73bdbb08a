package io.gatun.ffm.packet;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;

/**
 * Room for messages that one system call receives or sends; for one thread.
 *
 * <pre>
 *   struct mmsghdr[capacity], 64 bytes each:  msg_name, msg_namelen, msg_iov ●, …, msg_flags, msg_len
 *   struct iovec[capacity], 16 bytes each:    iov_base, iov_len              ◄
 * </pre>
 */
public final class MessageBatch implements AutoCloseable {
  private static final int HEADER = 64;
  private static final int IOV = 16;
  private static final int IOV_COUNT = 24;
  private static final int FLAGS = 48;
  private static final int LENGTH = 56;
  private static final int VECTOR = 16;

  private final int capacity;
  private final NativeArea area;
  private final long headers;
  private final long vectors;

  /** All slots empty: {@link #set} each before it is used. */
  public MessageBatch(String name, int capacity) {
    this.capacity = capacity;
    area = NativeArea.map(name, (long) capacity * (HEADER + VECTOR));
    headers = area.address();
    vectors = headers + (long) capacity * HEADER;
    for (int i = 0; i < capacity; i++) {
      long header = headers + (long) i * HEADER;
      Memory.putLong(header + IOV, vectors + (long) i * VECTOR);
      Memory.putLong(header + IOV_COUNT, 1);
    }
  }

  public int capacity() {
    return capacity;
  }

  /** Message {@code i} lies, or is to be put, at {@code address}. */
  public void set(int i, long address, int bytes) {
    long vector = vectors + (long) i * VECTOR;
    Memory.putLong(vector, address);
    Memory.putLong(vector + 8, bytes);
  }

  /** Bytes of message {@code i} that were received or sent. */
  public int length(int i) {
    return Memory.getInt(headers + (long) i * HEADER + LENGTH);
  }

  /** Whether message {@code i} was longer than its room. */
  public boolean truncated(int i) {
    return (Memory.getInt(headers + (long) i * HEADER + FLAGS) & Libc.MSG_TRUNC) != 0;
  }

  /** Receives into the first {@code count} slots, without waiting; how many, or −errno. */
  public int receive(int fd, int count) {
    return Libc.recvmmsg(fd, headers, count);
  }

  /** Sends {@code count} messages from slot {@code from} on; how many, or −errno of the first. */
  public int send(int fd, int from, int count) {
    return Libc.sendmmsg(fd, headers + (long) from * HEADER, count);
  }

  @Override
  public void close() {
    area.close();
  }
}
