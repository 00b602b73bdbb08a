package io.gatun.perf;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Somebody who forwards on a {@link VethPath} while the Services of a whole cluster come and
 * change: how many frames a second he forwards without a loss, and what he loses at a half and at
 * nine tenths of that. One thread.
 */
abstract class ChurnPath implements Alternation.Side {
  /** What {@link #measure} returns; those behind {@link #OF_BOTH} only where changes come fast. */
  static final List<String> FIGURES =
      List.of(
          "no loss up to",
          "lost at 50 %, nothing changing",
          "lost at 50 %, full load",
          "lost at 50 %, one change after the other",
          "blocked at 90 %, nothing changing",
          "blocked at 90 %, full load",
          "blocked at 90 %, one change after the other",
          "full load at 50 % takes",
          "lost at 50 %, 1,000 changes/s",
          "blocked at 90 %, 1,000 changes/s");

  static final int OF_BOTH = 8;

  /** Between two changes that come one after the other. */
  private static final Duration PAUSE = Duration.ofMillis(20);

  private static final int MANY_PER_SECOND = 1000;

  /** A trial of the search: MLRsearch's second. */
  private static final double TRIAL_SECONDS = 1;

  /** Of a rate that did not hold. */
  private static final double NEXT = 0.85;

  private static final double LEAST = 20_000;

  /** Halvings of what is left between no loss and loss: to a hundredth of the highest rate. */
  private static final int HALVINGS = 6;

  final VethPath path;
  final FrameSource.Frames frames;
  private final Times times;
  final SplittableRandom random = new SplittableRandom(20261130);

  /**
   * What is tried and for how long.
   *
   * @param phase seconds of each
   * @param confirmation seconds for which the rate that was found has to hold: a machine's own
   *     disturbances, threads of the kernel that have the worker's core for milliseconds, come each
   *     few seconds
   * @param warmUp seconds before the first phase
   * @param most frames a second that nobody forwards
   */
  record Times(double phase, double confirmation, double warmUp, double most) {}

  /** Not set up yet. */
  ChurnPath(VethPath path, FrameSource.Frames frames, Times times) {
    this.path = path;
    this.frames = frames;
    this.times = times;
  }

  @Override
  public final double[] measure() throws IOException {
    long byKernel = KernelForwarding.packets(path.node());
    List<Double> figures = new ArrayList<>();
    double highest = confirmed(highestWithoutLoss());
    int half = (int) (highest / 2);
    int nearly = (int) (highest * 0.9);
    VethPath.Loss loading;
    figures.add(highest / 1e6);
    figures.add((double) still(half).lost());
    loading = loss(half, this::loadEverything);
    figures.add((double) loading.lost());
    figures.add((double) loss(half, this::oneByOne).lost());
    double many = changesFast() ? loss(half, this::manyASecond).lost() : 0;
    figures.add(still(nearly).blockedMillis());
    double one = loss(nearly, this::oneByOne).blockedMillis();
    double manyBlocked = changesFast() ? loss(nearly, this::manyASecond).blockedMillis() : 0;
    unload();
    figures.add(loss(nearly, this::loadEverything).blockedMillis());
    figures.add(one);
    figures.add(loading.seconds());
    if (changesFast()) {
      figures.add(many);
      figures.add(manyBlocked);
    }
    unload();
    checkWhoForwarded(KernelForwarding.packets(path.node()) - byKernel);
    return figures.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private VethPath.Loss still(int perSecond) throws IOException {
    return loss(perSecond, () -> VethPath.sleep(times.phase));
  }

  private VethPath.Loss loss(double perSecond, Work disturbance) throws IOException {
    return path.loss(frames, (int) perSecond, disturbance);
  }

  /** Frames a second, by halving; what was sent counts, not what should have been. */
  private double highestWithoutLoss() throws IOException {
    double without = 0;
    double with = times.most;
    double sent = 0;
    for (int i = 0; i < HALVINGS; i++) {
      double rate = (without + with) / 2;
      double carried = withoutLoss(rate);
      if (carried > 0) {
        without = rate;
        sent = Math.max(sent, carried);
      } else {
        with = rate;
      }
    }
    if (sent == 0) {
      throw new IllegalStateException("frames were lost at %,.0f a second already".formatted(with));
    }
    return sent;
  }

  /** Frames a second that were sent for long without a loss, {@code rate} at most. */
  private double confirmed(double rate) throws IOException {
    for (double next = rate; next > LEAST; next *= NEXT) {
      VethPath.Loss loss = loss(next, () -> VethPath.sleep(times.confirmation));
      if (loss.lost() == 0) {
        return loss.perSecond();
      }
    }
    throw new IllegalStateException("frames were lost at %,.0f a second already".formatted(LEAST));
  }

  /** Frames a second that were sent in two trials of at most three without a loss; 0: not so. */
  private double withoutLoss(double rate) throws IOException {
    int good = 0;
    double sent = 0;
    for (int trial = 1; good < 2 && trial - good <= 2; trial++) {
      VethPath.Loss loss = loss(rate, () -> VethPath.sleep(TRIAL_SECONDS));
      if (loss.lost() == 0) {
        good++;
        sent += loss.perSecond() / 2;
      }
    }
    return good == 2 ? sent : 0;
  }

  private void oneByOne() throws IOException {
    long end = System.nanoTime() + (long) (times.phase * 1e9);
    while (System.nanoTime() - end < 0) {
      changeOne();
      VethPath.sleep(PAUSE.toMillis() / 1e3);
    }
    awaitChanges();
  }

  private void manyASecond() throws IOException {
    long due = System.nanoTime();
    for (int left = (int) (times.phase * MANY_PER_SECOND); left > 0; left--) {
      changeOne();
      due += 1_000_000_000L / MANY_PER_SECOND;
      LockSupport.parkNanos(Math.max(0, due - System.nanoTime()));
    }
    awaitChanges();
  }

  /** One Service in this moment. */
  abstract void changeOne() throws IOException;

  /** Until all that {@link #changeOne} changed is in force. */
  abstract void awaitChanges() throws IOException;

  /** The whole cluster, until it is in force. */
  abstract void loadEverything() throws IOException;

  /** Leaves the one Service that frames are sent to. */
  abstract void unload() throws IOException;

  /** Whether it makes sense to ask for a thousand changes a second. */
  abstract boolean changesFast();

  abstract void checkWhoForwarded(long byKernel);
}
