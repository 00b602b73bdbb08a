package io.gatun.control.document;

import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * An Ethernet address. Immutable.
 *
 * @param bits the six octets, the first one highest, in the low 48 bits
 */
public record MacAddress(long bits) {

  /** The address that {@code text} ("02:00:00:00:00:09") spells, null when it spells none. */
  public static @Nullable MacAddress parse(String text) {
    return text.matches("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
        ? new MacAddress(HexFormat.fromHexDigitsToLong(text.replace(":", "")))
        : null;
  }

  /** The address of six octets. */
  public static MacAddress of(byte[] octets) {
    long bits = 0;
    for (byte octet : Arrays.copyOf(octets, 6)) {
      bits = (bits << 8) | (octet & 0xff);
    }
    return new MacAddress(bits);
  }

  public byte[] octets() {
    byte[] octets = new byte[6];
    for (int i = 0; i < 6; i++) {
      octets[i] = (byte) (bits >>> (8 * (5 - i)));
    }
    return octets;
  }

  @Override
  public String toString() {
    return HexFormat.ofDelimiter(":").formatHex(octets());
  }
}
