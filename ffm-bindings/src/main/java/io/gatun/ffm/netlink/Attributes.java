package io.gatun.ffm.netlink;

import io.gatun.ffm.AddressBytes;
import io.gatun.ffm.Libc;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The attributes of one message or of one nesting, by type; immutable. A length that does not fit
 * ends the parse with an {@link UncheckedIOException}; a value shorter than its type reads as
 * absent. Buffers are in host order, positions are not used.
 */
final class Attributes {
  private static final int HEADER = 4;
  // NLA_F_NESTED and NLA_F_NET_BYTEORDER share the type's field.
  private static final int TYPE_MASK = 0x3FFF;

  private final Map<Integer, ByteBuffer> values;

  private Attributes(Map<Integer, ByteBuffer> values) {
    this.values = values;
  }

  /** A fixed struct with attributes behind it. */
  record Layout(String struct, int bytes) {
    Attributes attributes(ByteBuffer body) {
      if (body.limit() < bytes) {
        throw malformed("a " + struct + " of " + body.limit() + " bytes");
      }
      return parse(slice(body, bytes, body.limit() - bytes));
    }
  }

  static Attributes parse(ByteBuffer buffer) {
    Map<Integer, ByteBuffer> values = new HashMap<>();
    int at = 0;
    while (buffer.limit() - at >= HEADER) {
      int length = buffer.getShort(at) & 0xFFFF;
      if (length < HEADER || length > buffer.limit() - at) {
        throw malformed(
            "an attribute of " + length + " bytes where " + (buffer.limit() - at) + " are left");
      }
      int type = buffer.getShort(at + 2) & TYPE_MASK;
      values.put(type, slice(buffer, at + HEADER, length - HEADER));
      at += (length + 3) & -4;
    }
    return new Attributes(values);
  }

  /** Every attribute of {@code type} in a nesting, for those that come several times. */
  static List<ByteBuffer> all(@Nullable ByteBuffer nesting, int type) {
    List<ByteBuffer> found = new ArrayList<>();
    int at = 0;
    while (nesting != null && nesting.limit() - at >= HEADER) {
      int length = nesting.getShort(at) & 0xFFFF;
      if (length < HEADER || length > nesting.limit() - at) {
        throw malformed("an attribute of " + length + " bytes in a nesting");
      }
      if ((nesting.getShort(at + 2) & TYPE_MASK) == type) {
        found.add(slice(nesting, at + HEADER, length - HEADER));
      }
      at += (length + 3) & -4;
    }
    return found;
  }

  @Nullable ByteBuffer get(int type) {
    return values.get(type);
  }

  int integer(int type, int otherwise) {
    ByteBuffer value = values.get(type);
    return value == null || value.limit() < 4 ? otherwise : value.getInt(0);
  }

  int unsignedShort(int type, int otherwise) {
    ByteBuffer value = values.get(type);
    return value == null || value.limit() < 2 ? otherwise : value.getShort(0) & 0xFFFF;
  }

  /** A value in network order. */
  int unsignedShortBe(int type, int otherwise) {
    byte[] value = bytes(type);
    return value.length < 2 ? otherwise : (value[0] & 0xFF) << 8 | value[1] & 0xFF;
  }

  byte[] bytes(int type) {
    ByteBuffer value = values.get(type);
    byte[] bytes = new byte[value == null ? 0 : value.limit()];
    if (value != null) {
      value.get(0, bytes);
    }
    return bytes;
  }

  /** Up to the first zero byte; empty when absent. */
  String string(int type) {
    byte[] bytes = bytes(type);
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8);
  }

  Attributes nested(int type) {
    ByteBuffer value = values.get(type);
    return value == null ? new Attributes(Map.of()) : parse(value);
  }

  @Nullable InetAddress address(int type, int family) {
    ByteBuffer value = values.get(type);
    return value == null ? null : address(value, family);
  }

  static @Nullable InetAddress address(ByteBuffer value, int family) {
    int bytes = addressBytes(family);
    if (value.limit() < bytes || bytes == 0) {
      return null;
    }
    byte[] address = new byte[bytes];
    value.get(0, address);
    return AddressBytes.of(address);
  }

  static InetAddress anyAddress(int family) {
    return AddressBytes.of(new byte[addressBytes(family)]);
  }

  static boolean isInternet(int family) {
    return addressBytes(family) != 0;
  }

  /** Refuses a prefix length that the family does not have. */
  static int prefixLength(int length, int family) {
    if (length > addressBytes(family) * 8) {
      throw malformed("a prefix of " + length + " bits in family " + family);
    }
    return length;
  }

  private static int addressBytes(int family) {
    return switch (family) {
      case Libc.AF_INET -> 4;
      case Libc.AF_INET6 -> 16;
      default -> 0;
    };
  }

  static ByteBuffer slice(ByteBuffer buffer, int offset, int bytes) {
    return buffer.slice(offset, bytes).order(ByteOrder.nativeOrder());
  }

  static UncheckedIOException malformed(String what) {
    return new UncheckedIOException(new ProtocolException("netlink: " + what));
  }
}
