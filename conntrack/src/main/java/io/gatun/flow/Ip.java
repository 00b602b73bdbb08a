package io.gatun.flow;

/** Offsets of what translation reads and writes. RFC 791, 8200, 9293, 768, 792, 4443, 9260. */
final class Ip {
  static final int CHECKSUM4 = 10;
  static final int SOURCE4 = 12;
  static final int DESTINATION4 = 16;
  static final int SOURCE6 = 8;
  static final int DESTINATION6 = 24;

  static final int TCP_FLAGS = 13;
  static final int TCP_CHECKSUM = 16;
  static final int UDP_CHECKSUM = 6;
  static final int ICMP_CHECKSUM = 2;
  static final int ICMP_IDENTIFIER = 4;

  private Ip() {}
}
