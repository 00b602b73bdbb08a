package io.gatun.worker;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.handoff.SpscRing;

/**
 * Packets on their way from one worker to the one that owns their port; one producer, one consumer.
 * A slot is one cache line with all that sending needs:
 *
 * <pre>
 *   frame u64 │ address u64 │ length │ flags │ l3 │ l4 │ csumOffset │ segmentSize │ outPort │ inPort
 *   protocol │ l4Length
 * </pre>
 */
public final class HandOff implements AutoCloseable {
  /** Four full vectors. */
  private static final int CAPACITY = 4 * PacketVector.CAPACITY;

  private static final int SLOT = 64;
  private static final int ADDRESS_AT = 8;
  private static final int LENGTH_AT = 16;
  private static final int FLAGS_AT = 20;
  private static final int L3_AT = 24;
  private static final int L4_AT = 28;
  private static final int CSUM_OFFSET_AT = 32;
  private static final int SEGMENT_SIZE_AT = 36;
  private static final int OUT_PORT_AT = 40;
  private static final int IN_PORT_AT = 44;
  private static final int PROTOCOL_AT = 48;
  private static final int L4_LENGTH_AT = 52;

  private final NativeArea area;
  private final SpscRing ring;
  private final Worker consumer;
  private boolean pending;

  HandOff(String name, Worker consumer) {
    this.area = NativeArea.map(name, SpscRing.bytes(CAPACITY, SLOT));
    this.ring = new SpscRing(area.address(), CAPACITY, SLOT);
    this.consumer = consumer;
  }

  /** Producer: queues packet {@code i} of {@code v}; false when there is no room. */
  boolean put(PacketVector v, int i) {
    long slot = ring.claim();
    if (slot == 0) {
      return false;
    }
    Memory.putLong(slot, v.frame[i]);
    Memory.putLong(slot + ADDRESS_AT, v.address[i]);
    Memory.putInt(slot + LENGTH_AT, v.length[i]);
    Memory.putInt(slot + FLAGS_AT, v.flags[i]);
    Memory.putInt(slot + L3_AT, v.l3[i]);
    Memory.putInt(slot + L4_AT, v.l4[i]);
    Memory.putInt(slot + CSUM_OFFSET_AT, v.csumOffset[i]);
    Memory.putInt(slot + SEGMENT_SIZE_AT, v.segmentSize[i]);
    Memory.putInt(slot + OUT_PORT_AT, v.outPort[i]);
    Memory.putInt(slot + IN_PORT_AT, v.inPort[i]);
    Memory.putInt(slot + PROTOCOL_AT, v.protocol[i]);
    Memory.putInt(slot + L4_LENGTH_AT, v.l4Length[i]);
    pending = true;
    return true;
  }

  /** Producer: shows the consumer what was put and wakes it if it sleeps. */
  void publish() {
    if (pending) {
      pending = false;
      ring.publish();
      consumer.wakeIfParked();
    }
  }

  /** Consumer: appends what waits to {@code v}, with verdict SEND; returns how many. */
  int take(PacketVector v) {
    int n = ring.poll(PacketVector.CAPACITY - v.size);
    for (int k = 0; k < n; k++) {
      long slot = ring.slot(k);
      int i = v.size;
      v.append(
          Memory.getLong(slot),
          Memory.getLong(slot + ADDRESS_AT),
          Memory.getInt(slot + LENGTH_AT),
          Memory.getInt(slot + IN_PORT_AT));
      v.flags[i] = Memory.getInt(slot + FLAGS_AT);
      v.l3[i] = Memory.getInt(slot + L3_AT);
      v.l4[i] = Memory.getInt(slot + L4_AT);
      v.csumOffset[i] = Memory.getInt(slot + CSUM_OFFSET_AT);
      v.segmentSize[i] = Memory.getInt(slot + SEGMENT_SIZE_AT);
      v.outPort[i] = Memory.getInt(slot + OUT_PORT_AT);
      v.protocol[i] = Memory.getInt(slot + PROTOCOL_AT);
      v.l4Length[i] = Memory.getInt(slot + L4_LENGTH_AT);
      v.verdict[i] = Verdict.SEND;
    }
    if (n > 0) {
      ring.release(n);
    }
    return n;
  }

  /** Packets that wait, as any thread sees it. */
  int depth() {
    return ring.depth();
  }

  @Override
  public void close() {
    area.close();
  }
}
