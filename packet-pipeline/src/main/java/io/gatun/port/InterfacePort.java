package io.gatun.port;

import java.util.Map;

/** A port that took an interface of the kernel's, which gets it back in one of two ways. */
public interface InterfacePort extends Port {
  /** The kernel's number of the interface. */
  int ifIndex();

  /** Frames that the kernel dropped on their way to us, since the port was opened. */
  long kernelDropped();

  /** How frames are got: {@code copy}, {@code zero-copy} …; "-" where there is one way only. */
  default String mode() {
    return "-";
  }

  /** What else the kernel counts for this driver, by name; fails once the port is closed. */
  default Map<String, Long> details() {
    return Map.of();
  }

  /**
   * Lets go of the interface for a successor: frames are held until it comes or the lease runs out.
   */
  void release();

  /** Undoes everything: the interface is the kernel's again, as it was before. */
  void detach();
}
