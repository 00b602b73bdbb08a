package io.gatun.segment;

import io.gatun.packet.IpProtocol;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.frame.FramePool;

/**
 * Joins TCP packets of one vector that follow each other in a stream into super-frames, when they
 * leave by a port that carries those: the last stage. Belongs to one worker.
 *
 * <p>Nothing waits: what the burst did not bring is not joined. Order within a connection stays: a
 * packet that cannot be joined ends what was being joined before it, so nothing overtakes it. A
 * packet that was joined ends as {@link Verdict#JOINED}.
 */
public final class CoalesceStage implements Stage {
  /** Connections that are joined at a time: bursts have a few, and the search is linear. */
  private static final int OPEN = 8;

  private final boolean[] superPorts;
  private final Joining[] open = new Joining[OPEN];
  private int count;

  /**
   * A stage whose frames come from {@code superFrames}.
   *
   * @param superPorts by number: whether a port carries super-frames; read as it is at the moment
   */
  public CoalesceStage(boolean[] superPorts, FramePool pool, FramePool superFrames) {
    this.superPorts = superPorts;
    for (int k = 0; k < OPEN; k++) {
      open[k] = new Joining(pool, superFrames);
    }
  }

  @Override
  public void process(PacketVector v) {
    count = 0;
    for (int i = 0, size = v.size; i < size; i++) {
      if (v.verdict[i] == Verdict.SEND
          && v.protocol[i] == IpProtocol.TCP
          && toSuperPort(v.outPort[i])) {
        look(v, i);
      }
    }
    for (int k = 0; k < count; k++) {
      open[k].seal(v);
    }
  }

  private boolean toSuperPort(int number) {
    return number >= 0 && number < superPorts.length && superPorts[number];
  }

  private void look(PacketVector v, int i) {
    for (int k = 0; k < count; k++) {
      Joining joining = open[k];
      if (joining.sameConnection(v, i)) {
        boolean joined = joining.join(v, i);
        if (!joined || joining.full()) {
          joining.seal(v);
          open[k] = open[--count];
          open[count] = joining;
          if (!joined) {
            start(v, i);
          }
        }
        return;
      }
    }
    start(v, i);
  }

  private void start(PacketVector v, int i) {
    if (Joining.mayStart(v, i)) {
      if (count == OPEN) { // the oldest has waited longest for nothing
        Joining oldest = open[0];
        oldest.seal(v);
        System.arraycopy(open, 1, open, 0, OPEN - 1);
        open[OPEN - 1] = oldest;
        count--;
      }
      open[count++].start(v, i);
    }
  }
}
