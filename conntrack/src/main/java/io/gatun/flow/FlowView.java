package io.gatun.flow;

import static io.gatun.flow.FlowLayout.LINE;

import io.gatun.ffm.memory.Memory;

/**
 * Reads one flow where it stands. A flyweight for the control side, owned by one thread; what it
 * reads is whole only while the flow is neither removed nor reused. IPv4 addresses come as unsigned
 * 32 bits in the low half.
 */
public final class FlowView {
  private long flow;

  FlowView wrap(long address) {
    flow = address;
    return this;
  }

  public boolean ipv6() {
    return (key(0) & 0xFF00) == FlowLayout.IPV6;
  }

  public int protocol() {
    return (int) key(0) & 0xFF;
  }

  public FlowState state() {
    return FlowState.of(Memory.getShort(flow + FlowLayout.STATE) & 0xFF);
  }

  public int service() {
    return Memory.getInt(flow + FlowLayout.SERVICE);
  }

  public int clientPort() {
    return ports(0) >>> 16;
  }

  public int frontPort() {
    return ports(0) & 0xFFFF;
  }

  public int endpointPort() {
    return ports(1) >>> 16;
  }

  /** The port that the endpoint sees: the client's own or, masqueraded, perhaps another. */
  public int sourcePort() {
    return ports(1) & 0xFFFF;
  }

  public long clientHigh() {
    return high(0, false);
  }

  public long clientLow() {
    return low(0, false);
  }

  public long frontHigh() {
    return high(0, true);
  }

  public long frontLow() {
    return low(0, true);
  }

  public long endpointHigh() {
    return high(1, false);
  }

  public long endpointLow() {
    return low(1, false);
  }

  /** The address that the endpoint sees: the client's own or, masqueraded, ours. */
  public long sourceHigh() {
    return high(1, true);
  }

  public long sourceLow() {
    return low(1, true);
  }

  int created() {
    return Memory.getInt(flow + LINE + FlowLayout.CREATED);
  }

  int lastSeen() {
    int a = Memory.getInt(flow + FlowLayout.LAST_SEEN);
    int b = Memory.getInt(flow + LINE + FlowLayout.LAST_SEEN);
    return a - b > 0 ? a : b;
  }

  private long key(int direction) {
    return Memory.getLong(flow + direction * (long) LINE + FlowLayout.KEY);
  }

  private int ports(int direction) {
    return (int) (key(direction) >>> 32);
  }

  private long high(int direction, boolean destination) {
    return ipv6() ? word(direction, destination ? 2 : 0) : 0;
  }

  private long low(int direction, boolean destination) {
    if (ipv6()) {
      return word(direction, destination ? 3 : 1);
    }
    long both = word(direction, 0);
    return destination ? both & 0xFFFFFFFFL : both >>> 32;
  }

  private long word(int direction, int index) {
    return Memory.getLong(flow + direction * (long) LINE + FlowLayout.ADDRESSES + 8L * index);
  }
}
