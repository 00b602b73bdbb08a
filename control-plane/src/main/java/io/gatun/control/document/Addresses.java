package io.gatun.control.document;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/** Address literals. Never asks a name server; thread safe. */
public final class Addresses {
  private Addresses() {}

  /**
   * The address that {@code text} spells, null when it spells none. IPv4 is four decimal numbers
   * (leading zeros are decimal too: old Kubernetes objects have them); IPv6 has no zone.
   */
  public static @Nullable InetAddress parse(String text) {
    return text.indexOf(':') >= 0 ? parse6(text) : parse4(text);
  }

  private static @Nullable InetAddress parse4(String text) {
    byte[] bytes = new byte[4];
    int octet = 0;
    int digits = 0;
    int value = 0;
    for (int i = 0; i <= text.length(); i++) {
      char c = i < text.length() ? text.charAt(i) : '.';
      if (c >= '0' && c <= '9') {
        value = value * 10 + (c - '0');
        if (++digits > 3 || value > 255) {
          return null;
        }
      } else if (c == '.' && digits > 0 && octet < 4) {
        bytes[octet++] = (byte) value;
        digits = 0;
        value = 0;
      } else {
        return null;
      }
    }
    return octet == 4 ? of(bytes) : null;
  }

  private static @Nullable InetAddress parse6(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.digit(text.charAt(i), 16) < 0 && ":.".indexOf(text.charAt(i)) < 0) {
        return null;
      }
    }
    try {
      return InetAddress.ofLiteral(text);
    } catch (IllegalArgumentException notALiteral) {
      return null;
    }
  }

  /** As people write it: IPv6 after RFC 5952, the longest run of zeros left out. */
  public static String text(InetAddress address) {
    byte[] bytes = address.getAddress();
    if (bytes.length == 4) {
      return address.getHostAddress();
    }
    int longest = 1; // a single group is not left out
    int from = -1;
    for (int i = 0; i < 8; i++) {
      int n = 0;
      while (i + n < 8 && group(bytes, i + n) == 0) {
        n++;
      }
      if (n > longest) {
        longest = n;
        from = i;
      }
      i += n;
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      if (i == from) {
        text.append("::");
        i += longest - 1;
        continue;
      }
      if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
        text.append(':');
      }
      text.append(Integer.toHexString(group(bytes, i)));
    }
    return text.toString();
  }

  private static int group(byte[] bytes, int i) {
    return (bytes[2 * i] & 0xFF) << 8 | (bytes[2 * i + 1] & 0xFF);
  }

  /** "10.0.0.1:80", "[fd00::1]:80". */
  public static String text(InetSocketAddress endpoint) {
    String address = text(endpoint.getAddress());
    return (isIpv6(endpoint.getAddress()) ? "[" + address + "]" : address)
        + ":"
        + endpoint.getPort();
  }

  /** The address of 4 or 16 network-order bytes. */
  public static InetAddress of(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException wrongLength) {
      throw new IllegalArgumentException(bytes.length + " bytes are no address", wrongLength);
    }
  }

  public static boolean isIpv6(InetAddress address) {
    return address instanceof Inet6Address;
  }
}
