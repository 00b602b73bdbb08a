package io.gatun.ffm.nft;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Appends netlink messages and nested attributes to one growing buffer; for one thread. */
final class NftMessage {
  private static final int NLA_NESTED = 0x8000;
  private static final int NLM_F_ACK = 4;
  private static final int HEADER = 4;

  private ByteBuffer buffer = ByteBuffer.allocate(4096).order(ByteOrder.nativeOrder());

  /** struct nlmsghdr and struct nfgenmsg; returns where it starts, for {@link #end}. */
  int begin(int type, int flags, int sequence, int family, int resource) {
    room(20);
    int at = buffer.position();
    buffer.putInt(0).putShort((short) type).putShort((short) flags).putInt(sequence).putInt(0);
    buffer.put((byte) family).put((byte) 0);
    buffer.put((byte) (resource >>> 8)).put((byte) resource);
    return at;
  }

  void end(int message) {
    buffer.putInt(message, buffer.position() - message);
  }

  /** Asks for an answer to the message that starts there, whatever becomes of it. */
  void acknowledge(int message) {
    buffer.putShort(message + 6, (short) (buffer.getShort(message + 6) | NLM_F_ACK));
  }

  NftMessage bytes(int type, byte... value) {
    room(HEADER + value.length + 3);
    buffer.putShort((short) (HEADER + value.length)).putShort((short) type).put(value);
    while ((buffer.position() & 3) != 0) {
      buffer.put((byte) 0);
    }
    return this;
  }

  NftMessage text(int type, String value) {
    return bytes(type, (value + '\0').getBytes(StandardCharsets.UTF_8));
  }

  NftMessage number(int type, int value) {
    return bytes(type, ByteBuffer.allocate(4).putInt(value).array());
  }

  NftMessage number64(int type, long value) {
    return bytes(type, ByteBuffer.allocate(8).putLong(value).array());
  }

  /** What {@code content} appends, as one attribute. */
  NftMessage nested(int type, Runnable content) {
    room(HEADER);
    int at = buffer.position();
    buffer.putShort((short) 0).putShort((short) (type | NLA_NESTED));
    content.run();
    buffer.putShort(at, (short) (buffer.position() - at));
    return this;
  }

  private void room(int bytes) {
    if (buffer.remaining() < bytes) {
      ByteBuffer larger =
          ByteBuffer.allocate(2 * buffer.capacity() + bytes).order(ByteOrder.nativeOrder());
      buffer = larger.put(buffer.flip());
    }
  }

  byte[] toByteArray() {
    return Arrays.copyOf(buffer.array(), buffer.position());
  }
}
