package io.gatun.worker;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.port.Port;
import java.lang.invoke.VarHandle;

/**
 * A worker's sleep in poll(2), over its ports' descriptors and the one that wakes it; used by the
 * worker's thread only. While asleep the worker is offline for the tables' writer and marked parked
 * for the watchdog. Bounded, so that ports whose state nobody announces are looked at again.
 */
final class Sleep implements AutoCloseable {
  private static final int LONGEST_MILLIS = 100;

  private final Worker worker;
  private final NativeArea area;

  Sleep(Worker worker) {
    this.worker = worker;
    this.area =
        NativeArea.map(
            "poll " + worker.roleName(), (WorkerCounters.PORTS + 1L) * Libc.POLLFD_BYTES);
  }

  /** False: nothing came, and it is only time to look at what nobody announces. */
  boolean untilSomethingComes() {
    int count = 0;
    watch(count++, worker.wakeDescriptor());
    for (Port port : worker.ports()) {
      int descriptor = port.up() ? port.pollDescriptor() : -1;
      if (descriptor >= 0) {
        watch(count++, descriptor);
      }
    }
    WorkerCounters counters = worker.counters();
    counters.parked(true); // volatile: before the look at the mail; partner in wakeIfParked
    VarHandle.fullFence();
    worker.reader().offline();
    boolean came = worker.hasMail() || Libc.poll(area.address(), count, LONGEST_MILLIS) != 0;
    worker.reader().online();
    counters.parked(false);
    if (Memory.getShort(area.address() + Libc.POLLFD_REVENTS) != 0) {
      Libc.read(worker.wakeDescriptor(), scratch(), Long.BYTES); // back to zero
    }
    return came;
  }

  private void watch(int index, int descriptor) {
    long entry = area.address() + (long) index * Libc.POLLFD_BYTES;
    Memory.putInt(entry, descriptor);
    Memory.putShort(entry + Libc.POLLFD_EVENTS, Libc.POLLIN);
    Memory.putShort(entry + Libc.POLLFD_REVENTS, 0);
  }

  /** The last entry, which is never watched. */
  private long scratch() {
    return area.address() + (long) WorkerCounters.PORTS * Libc.POLLFD_BYTES;
  }

  @Override
  public void close() {
    area.close();
  }
}
