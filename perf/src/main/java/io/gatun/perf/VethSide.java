package io.gatun.perf;

import java.io.IOException;
import java.util.List;

/** Somebody who forwards on a {@link VethPath}, and what is sent to him. One thread. */
abstract class VethSide implements Alternation.Side {
  /** Below what anybody can do: processor time of those who do not spin. */
  static final int PACED = 200_000;

  final VethPath path;
  private final List<Load> loads;

  /**
   * What is sent.
   *
   * @param paced processor time is measured at {@link #PACED} frames a second, not at the utmost
   */
  record Load(FrameSource.Frames frames, double seconds, boolean paced) {}

  VethSide(VethPath path, Load load) {
    this(path, List.of(load));
  }

  VethSide(VethPath path, List<Load> loads) {
    this.path = path;
    this.loads = loads;
  }

  /** Of each load: million frames a second, and nanoseconds of processor time a frame. */
  @Override
  public double[] measure() throws IOException {
    double[] figures = new double[2 * loads.size()];
    for (int k = 0; k < loads.size(); k++) {
      Load load = loads.get(k);
      long byKernel = KernelForwarding.packets(path.node());
      VethPath.Traffic utmost = path.run(load.frames, load.seconds, 0);
      VethPath.Traffic paced = load.paced ? path.run(load.frames, load.seconds, PACED) : utmost;
      checkWhoForwarded(KernelForwarding.packets(path.node()) - byKernel);
      figures[2 * k] = utmost.millionsPerSecond();
      figures[2 * k + 1] = paced.cpuNanosPerPacket();
    }
    return figures;
  }

  /** All loads, each as fast as it goes, in {@code seconds}; the last one's rate, in millions. */
  final double send(double seconds) throws IOException {
    double rate = 0;
    for (Load load : loads) {
      rate = path.run(load.frames, seconds / loads.size(), 0).millionsPerSecond();
    }
    return rate;
  }

  /** Everybody but the kernel: it must not have helped. */
  void checkWhoForwarded(long byKernel) {
    KernelForwarding.expectNone(byKernel);
  }
}
