package io.gatun.packet;

import java.util.List;

/** INIT chunks as scapy makes them, CRC32c and all; no kernel met so far had SCTP. */
public final class SctpFrames {
  /** IPv4 and IPv6. */
  public static final List<String> INITS =
      List.of(
          "02000000000202000000000108004500003412344000408413a60a0100020a60000a0fa00050de"
              + "adbeef2efac478010000141122334400010000000a000a00000001",
          "02000000000202000000000186dd6000000000208440fd000000000000000000000000000001fd"
              + "00009600000000000000000000000a0fa00050deadbeef2efac478010000141122334400010000"
              + "000a000a00000001");

  private SctpFrames() {}
}
