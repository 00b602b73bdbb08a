package io.gatun.agent.host;

import io.gatun.control.kernel.RtnetlinkSource;

/**
 * Something set in the kernel, and how it is undone: arguments of {@code ip} in one line each.
 * Immutable.
 *
 * @param ipv6 the family that {@code ip} is called for
 */
public record Setting(boolean ipv6, String add, String undo) {
  private static final String SEPARATOR = "\t";

  public Setting {
    if ((add + undo).matches("(?s).*[\t\r\n].*")) {
      throw new IllegalArgumentException("a setting is one line each way: " + add);
    }
  }

  /** A rule, which is undone by the same words; the protocol says that it is ours. */
  static Setting rule(boolean ipv6, String words) {
    String ours = words + " protocol " + RtnetlinkSource.OUR_PROTOCOL;
    return new Setting(ipv6, "rule add " + ours, "rule del " + ours);
  }

  /** A route: to where, and how. */
  static Setting route(boolean ipv6, String prefix, String way, int table) {
    return new Setting(
        ipv6,
        "route replace %s %s table %d".formatted(prefix, way, table),
        "route del %s table %d".formatted(prefix, table));
  }

  String line() {
    return String.join(SEPARATOR, ipv6 ? "6" : "4", add, undo);
  }

  static Setting of(String line) {
    String[] words = line.split(SEPARATOR, -1);
    if (words.length != 3) {
      throw new IllegalArgumentException("not a setting: " + line);
    }
    return new Setting(words[0].equals("6"), words[1], words[2]);
  }
}
