package io.gatun.flow;

import static io.gatun.flow.FlowLayout.CREATED;
import static io.gatun.flow.FlowLayout.DIRECTION;
import static io.gatun.flow.FlowLayout.LINE;
import static io.gatun.flow.FlowLayout.STATE;
import static io.gatun.flow.FlowLayout.WATCHED;

import io.gatun.ffm.memory.Memory;

/**
 * Follows a flow's state: only to know how long it may be silent. No sequence numbers are looked at
 * (kubernetes#74839) and no packet is refused. While a flow is established its state is left alone,
 * but for SYN, FIN and RST; at its beginning and end every packet is looked at (<em>watched</em>).
 *
 * <p>Workers may step the same flow at the same time; the last one's state stands, which at worst
 * shortens a time-out that the next packet lengthens again.
 */
@SuppressWarnings("EnumOrdinal") // states live in native memory as numbers
final class FlowTracker {
  private static final int FIN = 1;
  private static final int SYN = 2;
  private static final int RST = 4;
  private static final int ACK = 16;

  private static final int SYN_SENT = FlowState.SYN_SENT.ordinal();
  private static final int SYN_RECEIVED = FlowState.SYN_RECEIVED.ordinal();
  private static final int ESTABLISHED = FlowState.ESTABLISHED.ordinal();
  private static final int FIN_WAIT = FlowState.FIN_WAIT.ordinal();
  private static final int CLOSE_WAIT = FlowState.CLOSE_WAIT.ordinal();
  private static final int LAST_ACK = FlowState.LAST_ACK.ordinal();
  private static final int TIME_WAIT = FlowState.TIME_WAIT.ordinal();
  private static final int CLOSE = FlowState.CLOSE.ordinal();
  private static final int UDP_NEW = FlowState.UDP_NEW.ordinal();
  private static final int UDP_REPLIED = FlowState.UDP_REPLIED.ordinal();
  private static final int UDP_STREAM = FlowState.UDP_STREAM.ordinal();
  private static final int ICMP = FlowState.ICMP.ordinal();
  private static final int SCTP = FlowState.SCTP.ordinal();
  static final int WITHDRAWN = FlowState.WITHDRAWN.ordinal();

  /** In the state word above the state: who sent the first FIN or the RST. */
  private static final int BY_REPLIER = 1 << 8;

  private static final int TWO_SECONDS = Ticks.ofSeconds(2);

  private FlowTracker() {}

  /** The state of a flow whose first packet is just being translated. */
  static int first(int protocol) {
    return switch (protocol) {
      case 6 -> SYN_SENT;
      case 17 -> UDP_NEW;
      case 132 -> SCTP;
      default -> ICMP;
    };
  }

  static boolean watched(int state) {
    return state != ESTABLISHED && state != UDP_STREAM && state != ICMP && state != SCTP;
  }

  /** Nobody would miss it: its connection is over, or its endpoint gone. */
  static boolean over(int state) {
    return state == TIME_WAIT || state == CLOSE || state == WITHDRAWN;
  }

  /** Only one side has been heard, or the client has not confirmed that it is one. */
  static boolean halfOpen(int state) {
    return state == SYN_SENT || state == SYN_RECEIVED || state == UDP_NEW || state == ICMP;
  }

  /** True when a SYN from the client opens the flow anew, with a new choice of endpoint. */
  static boolean finished(long entry) {
    int state = FlowLayout.state(FlowLayout.flowOf(entry));
    return Memory.getByte(entry + DIRECTION) == 0 && (state == TIME_WAIT || state == CLOSE);
  }

  /** A packet of {@code entry}'s direction with these TCP flags passes. */
  static void tcp(long entry, int flags) {
    int word = Memory.getShort(FlowLayout.flowOf(entry) + STATE);
    int reply = Memory.getByte(entry + DIRECTION) == 0 ? 0 : BY_REPLIER;
    int next = next(word & 0xFF, word & BY_REPLIER, reply, flags);
    if (next != word) {
      become(entry, next);
    }
  }

  private static int next(int state, int by, int from, int flags) {
    if ((flags & RST) != 0) {
      return CLOSE | from;
    }
    if ((flags & SYN) != 0) {
      return state == SYN_SENT && from != 0 && (flags & ACK) != 0 ? SYN_RECEIVED : state | by;
    }
    if ((flags & FIN) != 0) {
      if (state == FIN_WAIT || state == CLOSE_WAIT) {
        return by == from ? state | by : LAST_ACK | by;
      }
      return state == LAST_ACK || state == TIME_WAIT || state == CLOSE
          ? state | by
          : FIN_WAIT | from;
    }
    if (state == SYN_RECEIVED && from == 0) {
      return ESTABLISHED;
    }
    if (state == FIN_WAIT && by != from) {
      return CLOSE_WAIT | by;
    }
    if (state == LAST_ACK && by == from) {
      return TIME_WAIT | by;
    }
    // Whoever is said to have sent a reset goes on sending: the reset was not its own.
    return state == CLOSE && by == from ? ESTABLISHED : state | by;
  }

  static void udp(long entry, int now) {
    long flow = FlowLayout.flowOf(entry);
    int state = Memory.getShort(flow + STATE);
    if (state == UDP_NEW && Memory.getByte(entry + DIRECTION) != 0) {
      become(entry, UDP_REPLIED);
    } else if (state == UDP_REPLIED && now - Memory.getInt(flow + LINE + CREATED) > TWO_SECONDS) {
      become(entry, UDP_STREAM);
    }
  }

  private static void become(long entry, int word) {
    long flow = FlowLayout.flowOf(entry);
    int watched = watched(word & 0xFF) ? 1 : 0;
    Memory.putShort(flow + STATE, word);
    Memory.putByte(flow + WATCHED, watched);
    Memory.putByte(flow + LINE + WATCHED, watched);
  }
}
