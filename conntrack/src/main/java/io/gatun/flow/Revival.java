package io.gatun.flow;

import static io.gatun.flow.FlowLayout.ADDRESSES;
import static io.gatun.flow.FlowLayout.KEY;
import static io.gatun.flow.FlowLayout.LINE;

import io.gatun.ffm.memory.Memory;

/**
 * Reads a flow that a dead process left in the file. Only the keys, the state and the times are
 * taken from there; whatever follows from them is worked out anew. Stateless.
 */
final class Revival {
  private static final int STATES = FlowState.values().length;

  private Revival() {}

  /**
   * False when the flow was not published, or its halves do not belong together. Otherwise {@code
   * f} is what would have to be inserted to make it.
   */
  static boolean read(long flow, NewFlow f, int now) {
    long reply = flow + LINE;
    long key = Memory.getLong(flow + KEY);
    long replyKey = Memory.getLong(reply + KEY);
    int family = (int) key & 0xFFFF_FF00;
    if (Memory.getShort(reply + FlowLayout.PUBLISHED) != 1
        || (int) key != (int) replyKey
        || (family != FlowLayout.IPV4 && family != FlowLayout.IPV6)
        || Memory.getByte(flow + FlowLayout.DIRECTION) != 0
        || Memory.getByte(reply + FlowLayout.DIRECTION) != 1
        || (Memory.getShort(flow + FlowLayout.STATE) & 0xFF) >= STATES) {
      return false;
    }
    f.ipv6 = family == FlowLayout.IPV6;
    f.protocol = (int) key & 0xFF;
    f.ports = (int) (key >>> 32);
    f.newPorts = FlowLayout.turned((int) (replyKey >>> 32));
    if (f.ipv6) {
      f.sourceHigh = word(flow, 0);
      f.sourceLow = word(flow, 1);
      f.destinationHigh = word(flow, 2);
      f.destinationLow = word(flow, 3);
      f.newDestinationHigh = word(reply, 0);
      f.newDestinationLow = word(reply, 1);
      f.newSourceHigh = word(reply, 2);
      f.newSourceLow = word(reply, 3);
      f.hash = FlowHash.ofKey(key, f.sourceHigh, f.sourceLow, f.destinationHigh, f.destinationLow);
    } else {
      f.sourceLow = word(flow, 0) >>> 32;
      f.destinationLow = word(flow, 0) & 0xFFFF_FFFFL;
      f.newDestinationLow = word(reply, 0) >>> 32;
      f.newSourceLow = word(reply, 0) & 0xFFFF_FFFFL;
      f.hash = FlowHash.ofKey(key, word(flow, 0));
    }
    notLater(flow, now);
    notLater(reply, now);
    return true;
  }

  private static long word(long entry, int index) {
    return Memory.getLong(entry + ADDRESSES + 8L * index);
  }

  private static void notLater(long entry, int now) {
    if (Memory.getInt(entry + FlowLayout.LAST_SEEN) - now > 0) {
      Memory.putInt(entry + FlowLayout.LAST_SEEN, now);
    }
  }

  /** Writes what follows from the keys and the state; ways out have to be found anew. */
  static void complete(long flow, NewFlow f) {
    FlowWriter.entries(flow, f);
    int state = Memory.getShort(flow + FlowLayout.STATE) & 0xFF;
    for (long entry = flow; entry <= flow + LINE; entry += LINE) {
      Memory.putByte(entry + FlowLayout.WATCHED, FlowTracker.watched(state) ? 1 : 0);
      Memory.putLong(entry + FlowLayout.WAY, 0);
    }
  }
}
