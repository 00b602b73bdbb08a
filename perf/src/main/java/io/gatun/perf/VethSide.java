package io.gatun.perf;

import java.io.IOException;

/** Somebody who forwards on a {@link VethPath}, and what is sent to him. One thread. */
abstract class VethSide implements Alternation.Side {
  /** Below what anybody can do: processor time of those who do not spin. */
  static final int PACED = 200_000;

  final VethPath path;
  private final Load load;

  /**
   * What is sent.
   *
   * @param flows a power of two
   * @param paced processor time is measured at {@link #PACED} frames a second, not at the utmost
   */
  record Load(int destination, int port, int flows, double seconds, boolean paced) {}

  VethSide(VethPath path, Load load) {
    this.path = path;
    this.load = load;
  }

  /** Million frames a second, and nanoseconds of processor time a frame. */
  @Override
  public double[] measure() throws IOException {
    long byKernel = KernelForwarding.packets(path.node());
    VethPath.Traffic utmost = send(load.seconds, 0);
    VethPath.Traffic paced = load.paced ? send(load.seconds, PACED) : utmost;
    checkWhoForwarded(KernelForwarding.packets(path.node()) - byKernel);
    return new double[] {utmost.millionsPerSecond(), paced.cpuNanosPerPacket()};
  }

  final VethPath.Traffic send(double seconds, int perSecond) throws IOException {
    return path.run(load.destination, load.port, load.flows, seconds, perSecond);
  }

  /** Everybody but the kernel: it must not have helped. */
  void checkWhoForwarded(long byKernel) {
    if (byKernel != 0) {
      throw new IllegalStateException(byKernel + " packets were forwarded by the kernel");
    }
  }
}
