package io.gatun.port.pcap;

/** Layout of a classic capture file: draft-ietf-opsawg-pcap, sections 4 and 5. */
final class PcapFile {
  static final int MAGIC_MICROSECONDS = 0xA1B2C3D4;
  static final int MAGIC_NANOSECONDS = 0xA1B23C4D;
  static final int HEADER = 24;
  static final int VERSION_MAJOR_AT = 4;
  static final int VERSION_MINOR_AT = 6;
  static final int SNAP_LENGTH_AT = 16;
  static final int LINK_TYPE_AT = 20;
  static final int ETHERNET = 1;

  static final int RECORD = 16;
  static final int FRACTION_AT = 4;
  static final int CAPTURED_AT = 8;
  static final int ON_WIRE_AT = 12;

  /** What tcpdump writes: no record is longer. */
  static final int SNAP_LENGTH = 262_144;

  private PcapFile() {}
}
