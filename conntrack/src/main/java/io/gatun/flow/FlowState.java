package io.gatun.flow;

import java.util.Locale;

/**
 * What a flow is doing, and how long it may be silent before it is forgotten. Defaults are the
 * kernel's (nf_conntrack_proto_tcp.c, nf_conntrack_proto_udp.c) and KubeProxyConfiguration's.
 */
public enum FlowState {
  SYN_SENT(120),
  SYN_RECEIVED(60),
  ESTABLISHED(24 * 3600),
  FIN_WAIT(120),
  /** FIN acknowledged, the other side may go on sending. */
  CLOSE_WAIT(3600),
  LAST_ACK(30),
  TIME_WAIT(120),
  /** A reset was seen. */
  CLOSE(10),
  /** One direction only, so far. */
  UDP_NEW(30),
  /** Answered, within its first two seconds: a DNS query does not become a stream. */
  UDP_REPLIED(30),
  UDP_STREAM(120),
  ICMP(30),
  /** Kept by the association's heartbeats, every 30 s. */
  SCTP(210),
  /** Its endpoint is gone: what is under way still reaches the client, then nothing goes on. */
  WITHDRAWN(2);

  private static final FlowState[] ALL = values();

  private final int seconds;

  FlowState(int seconds) {
    this.seconds = seconds;
  }

  /** Seconds of silence that end the flow, unless configured otherwise. */
  public int defaultSeconds() {
    return seconds;
  }

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  static FlowState of(int ordinal) {
    return ALL[ordinal];
  }
}
