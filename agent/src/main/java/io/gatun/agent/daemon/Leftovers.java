package io.gatun.agent.daemon;

import io.gatun.agent.RunDirectory;
import io.gatun.port.xdp.Lease;
import io.gatun.port.xdp.Pins;
import java.io.IOException;
import java.nio.file.Files;

/** What a daemon that died could not undo itself. */
public final class Leftovers {
  private Leftovers() {}

  /**
   * Takes every pinned stub off its interface and removes the pins; returns how many there were.
   */
  public static int undo(RunDirectory run) throws IOException {
    Files.deleteIfExists(run.socket());
    if (!Files.isDirectory(run.bpf())) {
      return 0;
    }
    Pins pins = Pins.mount(run.bpf());
    int interfaces = pins.interfaces().size();
    try (Lease lease = Lease.open(pins)) {
      lease.expire(); // from here on the kernel forwards, whatever is still attached
    }
    pins.remove();
    return interfaces;
  }
}
