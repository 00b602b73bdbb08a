package io.gatun.worker;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Runs a worker on a thread of its own. {@link #stop} and the questions may be called by any
 * thread.
 *
 * <p>An exception ends the worker for good and is logged and kept in {@link #failure}: its heart
 * stands still, the watchdog stops renewing the lease, and the kernel takes over. For tests, {@code
 * -Dgatun.fault=stuck|exception} breaks every worker {@code -Dgatun.fault.after=<ms>} after its
 * start.
 */
public final class WorkerThread {
  /** Not pinned. */
  public static final int ANY_CPU = -1;

  private static final System.Logger LOG = System.getLogger("gatun.worker");

  private final Worker worker;
  private final Idling idling;
  private final int cpu;
  private final Thread thread;
  private volatile boolean running = true;
  private volatile int tid;
  private volatile @Nullable Throwable failure;

  private WorkerThread(Worker worker, Idling idling, int cpu) {
    this.worker = worker;
    this.idling = idling;
    this.cpu = cpu;
    this.thread = Thread.ofPlatform().name(worker.roleName()).daemon(true).unstarted(this::run);
  }

  /** Starts {@code worker}, pinned to {@code cpu} or, with {@link #ANY_CPU}, not. */
  public static WorkerThread start(Worker worker, Idling idling, int cpu) {
    WorkerThread thread = new WorkerThread(worker, idling, cpu);
    thread.thread.start();
    return thread;
  }

  public Worker worker() {
    return worker;
  }

  /** Still running. */
  public boolean isAlive() {
    return thread.isAlive();
  }

  /** The exception that ended the worker, null while all is well. */
  public @Nullable Throwable failure() {
    return failure;
  }

  /**
   * Ends the worker after its present cycle and waits for it; false when it does not come to the
   * end of it within {@code millis}. The ports stay open: close the worker then.
   */
  public boolean stop(long millis) throws InterruptedException {
    running = false;
    worker.wakeIfParked();
    return thread.join(Duration.ofMillis(millis));
  }

  /** The kernel's id of the thread; 0 before it runs. */
  public int tid() {
    return tid;
  }

  private void run() {
    tid = Libc.gettid();
    if (cpu != ANY_CPU) {
      int result = Libc.pinToCpu(cpu);
      if (result < 0) {
        LOG.log(
            Level.WARNING,
            "{0} runs unpinned: CPU {1} refused it ({2})",
            worker.roleName(),
            cpu,
            Errno.name(-result));
      }
    }
    FaultSwitch faults = FaultSwitch.fromProperties();
    worker.onStart();
    try (Sleep sleep = new Sleep(worker)) {
      SpinWindow window = new SpinWindow();
      while (running) {
        faults.apply(worker);
        int work = worker.doWork();
        if (work > 0) {
          window.worked(work);
        } else if (idling == Idling.BUSY) {
          Thread.onSpinWait();
        } else if (window.isOver(System.nanoTime())) {
          boolean came = sleep.untilSomethingComes();
          window.slept(System.nanoTime(), came);
        } else {
          Thread.yield(); // to whom it has just woken, where workers have no cores of their own
        }
      }
    } catch (Throwable e) { // whatever it is, it ends this worker and must be seen
      failure = e;
      LOG.log(Level.ERROR, worker.roleName() + " ended; the kernel takes over", e);
    } finally {
      worker.onClose();
    }
  }

  /** The fault that system properties ask for, and when. */
  private record FaultSwitch(Fault fault, long due) {
    static FaultSwitch fromProperties() {
      Fault fault =
          switch (System.getProperty("gatun.fault", "")) {
            case "stuck" -> Fault.STUCK;
            case "exception" -> Fault.EXCEPTION;
            default -> Fault.NONE;
          };
      long after = TimeUnit.MILLISECONDS.toNanos(Long.getLong("gatun.fault.after", 0));
      return new FaultSwitch(fault, System.nanoTime() + after);
    }

    void apply(Worker worker) {
      if (fault != Fault.NONE && System.nanoTime() - due >= 0) {
        worker.inject(fault);
      }
    }
  }
}
