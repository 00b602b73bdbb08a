package io.gatun.agent.daemon;

import io.gatun.control.kernel.KernelMirror;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.Agent;

/**
 * Has the kernel asked for the neighbours that packets wait for, and wakes the workers while an
 * answer may come; stepped by the control thread.
 */
final class WaitingPackets implements Agent {
  /** As long as a packet waits, and a little more. */
  private static final long ANSWERS = TimeUnit.SECONDS.toNanos(4);

  private final Dataplane dataplane;
  private final KernelMirror mirror;
  private long asked = System.nanoTime() - ANSWERS;

  WaitingPackets(Dataplane dataplane, KernelMirror mirror) {
    this.dataplane = dataplane;
    this.mirror = mirror;
  }

  @Override
  public int doWork() {
    long now = System.nanoTime();
    int count = dataplane.crew().questions(destination -> mirror.waiting(destination, now));
    if (count > 0) {
      asked = now;
    }
    if (now - asked < ANSWERS) {
      dataplane.crew().wake();
    }
    return count;
  }

  @Override
  public String roleName() {
    return "waiting packets";
  }
}
