package io.gatun.agent.daemon;

import io.gatun.port.xdp.XdpRole;
import io.gatun.worker.WorkerCounters;
import java.util.Arrays;
import java.util.Collection;

/** How many frames all AF_XDP ports share, and how deep the rings of each are; for one thread. */
final class FrameBudget {
  /** Frames on their way through a worker, beside those that the ports' rings hold. */
  private static final int IN_FLIGHT = 4096;

  /** For two uplinks that come by XDP while we run; 16 MB. */
  private static final int FOR_UPLINKS = 8192;

  /** For pods that do, some forty; 46 MB, so that a small node stays below 64. */
  private static final int FOR_PODS = 22_528;

  /**
   * A pod's rings while few pods have any. A thread of the kernel may have a worker's core for four
   * milliseconds, and 512 frames arrive meanwhile at 0.13 million a second.
   */
  private static final int DEEP = 2048;

  /** These stay free for others when a pod gets deep rings. */
  private static final int FOR_OTHERS = FOR_PODS / 2;

  /** Below that many a worker's packets are dropped before a new port gets any. */
  static final int LEAST = IN_FLIGHT / 4;

  private final int forPorts;
  private final int frames;

  /** Entries of each ring of the ports that are open, by their numbers; else 0. */
  private final int[] rings = new int[WorkerCounters.PORTS];

  /**
   * A budget of which nothing is taken.
   *
   * @param present the ports there are to be from the start
   * @param mayCome later ones may be uplinks
   * @param mayPodsCome and pods
   */
  FrameBudget(int workers, Collection<XdpRole> present, boolean mayCome, boolean mayPodsCome) {
    int later = mayPodsCome ? FOR_PODS : mayCome ? FOR_UPLINKS : 0;
    forPorts = later + present.stream().mapToInt(role -> both(role.ringSize())).sum();
    frames = workers * IN_FLIGHT + forPorts;
  }

  /** As many on their way out as on their way in. */
  private static int both(int ringSize) {
    return 2 * ringSize;
  }

  /** Of all. */
  int frames() {
    return frames;
  }

  /** What a port's rings have if it is opened now: as deep as there is room for. */
  int ringSize(XdpRole role) {
    int left = forPorts - both(Arrays.stream(rings).sum());
    boolean deep = role == XdpRole.POD && left - both(DEEP) >= FOR_OTHERS;
    return deep ? DEEP : role.ringSize();
  }

  /** The port of this number has rings of so many entries now, 0 for none. */
  void has(int number, int ringSize) {
    rings[number] = ringSize;
  }
}
