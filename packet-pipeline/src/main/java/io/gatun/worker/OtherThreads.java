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
 * where they share what is left with each other, and with whatever else runs on the node, those
 * that a worker may wait for come first: at a safepoint all Java threads must have stopped, and the
 * VM's own thread runs it.
 */
public final class OtherThreads {
  private static final String COLLECTOR = "ZWorker";

  /** By how their names begin (pthread_setname_np cuts them to 15 letters). */
  private static final List<String> PATIENT =
      List.of(COLLECTOR, "C1 Compiler", "C2 Compiler", "GC Thread", "G1 Conc", "Shenandoah GC");

  private static final String VM_THREAD = "VM Thread";

  /**
   * Nice values, by who waits for a thread: nobody, workers at times, workers all the time.
   *
   * @param java threads that reach safepoints
   */
  private record Ranks(int patient, int java, int vm) {
    /** What else runs on the node, at 0, gives way: Open vSwitch's daemons have −10, too. */
    static final Ranks BEFORE_OTHERS = new Ranks(0, -10, -20);

    /** Without CAP_SYS_NICE a thread can only give way. */
    static final Ranks AMONG_OTHERS = new Ranks(10, 0, 0);
  }

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
    for (Task task : all()) {
      moved = moved && (workers.contains(task.tid()) || Libc.allowCpus(task.tid(), left) >= 0);
    }
    return moved;
  }

  /**
   * Says which of them come first.
   *
   * @param workers kernel ids of the threads that stay as they are
   */
  public static void rank(Set<Integer> workers) {
    Ranks ranks = ranks();
    for (Task task : all()) {
      if (!workers.contains(task.tid())) {
        String name = task.name();
        boolean patient = PATIENT.stream().anyMatch(name::startsWith);
        int nice = patient ? ranks.patient : name.equals(VM_THREAD) ? ranks.vm : ranks.java;
        Libc.schedule(task.tid(), nice, SLICE);
      }
    }
  }

  /** The collector's threads take turns with all that wait for them, or give way to them again. */
  public static void hurryCollector(boolean hurry) {
    Ranks ranks = ranks();
    for (Task task : all()) {
      if (task.name().startsWith(COLLECTOR)) {
        Libc.schedule(task.tid(), hurry ? ranks.java : ranks.patient, SLICE);
      }
    }
  }

  /** Tried out on the calling thread, which reaches safepoints itself. */
  private static Ranks ranks() {
    int outcome = Libc.schedule(Libc.gettid(), Ranks.BEFORE_OTHERS.java, SLICE);
    return outcome < 0 ? Ranks.AMONG_OTHERS : Ranks.BEFORE_OTHERS;
  }

  private static List<Task> all() {
    try {
      return Task.all();
    } catch (IOException e) {
      return List.of(); // then they stay as they are
    }
  }
}
