package io.gatun.worker;

import io.gatun.ffm.Libc;
import io.gatun.ffm.Task;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/**
 * All threads of this process but the workers': collector, compilers, control. On a worker's core
 * one of them takes a whole time slice from it, several milliseconds; so they stay off it. And
 * where they share what is left, those that nobody waits for give way to those that a worker may
 * wait for: at a safepoint all Java threads must have stopped, and the VM's own thread runs it.
 */
public final class OtherThreads {
  private static final String COLLECTOR = "ZWorker";

  /** By how their names begin (pthread_setname_np cuts them to 15 letters). */
  private static final List<String> PATIENT =
      List.of(COLLECTOR, "C1 Compiler", "C2 Compiler", "GC Thread", "G1 Conc", "Shenandoah GC");

  private static final String VM_THREAD = "VM Thread";
  private static final int LAST = 10;
  private static final int FIRST = -10;

  /**
   * The kernel lets a thread finish its slice, 3 ms, before one goes on that was woken: at a
   * safepoint that is as long as all workers stand still. The least that it takes.
   */
  private static final long SLICE = 100_000;

  private OtherThreads() {}

  /**
   * Moves them off {@code cpus}; threads that they start later inherit it. Where nothing would be
   * left, or the kernel refuses, they stay where they are.
   *
   * @param workers kernel ids of the threads that stay
   * @return whether they moved
   */
  public static boolean leave(BitSet cpus, Set<Integer> workers) {
    BitSet left = Libc.allowedCpus();
    left.andNot(cpus);
    boolean moved = !cpus.isEmpty() && !left.isEmpty();
    try {
      for (Task task : Task.all()) {
        if (!workers.contains(task.tid())) {
          moved = moved && Libc.allowCpus(task.tid(), left) >= 0;
          prioritize(task);
        }
      }
    } catch (IOException e) {
      return false;
    }
    return moved;
  }

  /** The collector's threads take turns with all others, or give way to them again. */
  public static void hurryCollector(boolean hurry) {
    try {
      for (Task task : Task.all()) {
        if (task.name().startsWith(COLLECTOR)) {
          Libc.schedule(task.tid(), hurry ? 0 : LAST, SLICE); // refused without CAP_SYS_NICE
        }
      }
    } catch (IOException e) {
      // then it takes longer
    }
  }

  private static void prioritize(Task task) {
    int tid = task.tid();
    String name = task.name();
    boolean patient = PATIENT.stream().anyMatch(name::startsWith);
    boolean first = name.equals(VM_THREAD);
    if (!first || Libc.schedule(tid, FIRST, SLICE) < 0) { // without CAP_SYS_NICE as the others
      Libc.schedule(tid, patient ? LAST : 0, SLICE);
    }
  }
}
