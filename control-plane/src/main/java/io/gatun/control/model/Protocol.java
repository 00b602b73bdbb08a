package io.gatun.control.model;

import org.jspecify.annotations.Nullable;

/** Transport protocols of Service ports: IANA numbers and Kubernetes' words. */
public final class Protocol {
  public static final int TCP = 6;
  public static final int UDP = 17;
  public static final int SCTP = 132;

  private Protocol() {}

  /** The number of "TCP", "UDP" or "SCTP"; null for any other word. */
  public static @Nullable Integer parse(String word) {
    return switch (word) {
      case "TCP" -> TCP;
      case "UDP" -> UDP;
      case "SCTP" -> SCTP;
      default -> null;
    };
  }

  /** The word for a number. */
  public static String word(int protocol) {
    return switch (protocol) {
      case TCP -> "TCP";
      case UDP -> "UDP";
      case SCTP -> "SCTP";
      default -> "protocol " + protocol;
    };
  }
}
