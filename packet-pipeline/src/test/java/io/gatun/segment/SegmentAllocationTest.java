package io.gatun.segment;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.ffm.Allocation;
import io.gatun.ffm.memory.Memory;
import io.gatun.packet.PacketBuilder;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import org.junit.jupiter.api.Test;

/** Joining and cutting work in the memory that is there. */
class SegmentAllocationTest {
  private static final int PAYLOAD = 1000;
  private static final int ROUNDS = 20_000;

  private final Segmenter segmenter = new Segmenter();

  @Test
  void shouldAllocateNothing() {
    try (Packets packets = new Packets()) {
      for (int k = 0; k < 4; k++) {
        packets.add(
            PacketBuilder.ipv4("10.0.0.1", "10.0.0.2")
                .tcp(1, 2)
                .sequence(1 + k * PAYLOAD)
                .payload(PAYLOAD)
                .bytes(),
            0);
      }
      PacketVector v = packets.vector;
      CoalesceStage stage = packets.stage();
      long[] original = java.util.Arrays.copyOf(v.address, 4);
      int bytes = v.length[0];
      long allocated =
          Allocation.ofBest(() -> {
            for (int n = 0; n < ROUNDS; n++) {
              joinAndCut(packets, stage, original, bytes);
            }
          });
      assertEquals(0, allocated, "bytes allocated by joining and cutting");
    }
  }

  /** Four packets, as a port would have left them; what is joined is cut over its own frame. */
  private void joinAndCut(Packets packets, CoalesceStage stage, long[] original, int bytes) {
    PacketVector v = packets.vector;
    for (int i = 0; i < 4; i++) {
      long frame = packets.pool().take();
      Memory.copy(original[i], frame + Packets.HEADROOM, bytes);
      v.frame[i] = frame;
      v.address[i] = frame + Packets.HEADROOM;
      v.length[i] = bytes;
      v.l4Length[i] = bytes - v.l4[i];
      v.flags[i] = 0;
      v.segmentSize[i] = 0;
      v.verdict[i] = Verdict.SEND;
    }
    stage.process(v);
    segmenter.begin(v, 0);
    long to = packets.pool().take();
    while (segmenter.more()) {
      segmenter.next(to + Packets.HEADROOM);
    }
    packets.pool().give(to);
    for (int i = 0; i < 4; i++) {
      packets.pool().give(v.frame[i]);
    }
  }
}
