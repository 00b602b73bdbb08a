package io.gatun.control.document;

import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A CIDR. Immutable.
 *
 * @param address the network address; bits beyond the length are zero
 * @param length 0 to 32 or 128
 */
public record Prefix(InetAddress address, int length) {

  public Prefix {
    byte[] bytes = address.getAddress();
    if (length < 0 || length > bytes.length * 8) {
      throw new IllegalArgumentException("prefix length " + length);
    }
    for (int i = 0; i < bytes.length; i++) {
      int kept = Math.clamp(length - 8L * i, 0, 8);
      bytes[i] &= (byte) (0xff00 >> kept);
    }
    address = Addresses.of(bytes);
  }

  /** The prefix that {@code text} spells ("10.0.0.0/8"), null when it spells none. */
  public static @Nullable Prefix parse(String text) {
    int slash = text.indexOf('/');
    InetAddress address = slash < 0 ? null : Addresses.parse(text.substring(0, slash));
    String length = text.substring(slash + 1);
    if (address == null || !length.matches("[0-9]{1,3}")) {
      return null;
    }
    int bits = Integer.parseInt(length);
    return bits <= address.getAddress().length * 8 ? new Prefix(address, bits) : null;
  }

  /** The prefix of this one address. */
  public static Prefix of(InetAddress address) {
    return new Prefix(address, address.getAddress().length * 8);
  }

  public boolean contains(InetAddress other) {
    return other.getAddress().length == address.getAddress().length
        && new Prefix(other, length).address.equals(address);
  }

  @Override
  public String toString() {
    return Addresses.text(address) + "/" + length;
  }
}
