package io.gatun.agent.daemon;

import io.gatun.worker.WorkerCounters;
import java.util.List;

/** What passed a port, summed over workers. Immutable. */
record PortCounts(long rxFrames, long rxBytes, long txFrames, long txBytes) {
  static final PortCounts NONE = new PortCounts(0, 0, 0, 0);

  static PortCounts of(List<WorkerCounters> workers, int port) {
    return new PortCounts(
        workers.stream().mapToLong(w -> w.rxFrames(port)).sum(),
        workers.stream().mapToLong(w -> w.rxBytes(port)).sum(),
        workers.stream().mapToLong(w -> w.txFrames(port)).sum(),
        workers.stream().mapToLong(w -> w.txBytes(port)).sum());
  }

  /** Since {@code base}: a number may have been another port's before. */
  PortCounts since(PortCounts base) {
    return new PortCounts(
        rxFrames - base.rxFrames,
        rxBytes - base.rxBytes,
        txFrames - base.txFrames,
        txBytes - base.txBytes);
  }
}
