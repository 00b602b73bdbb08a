package io.gatun.agent.daemon;

import io.gatun.agent.RunDirectory;
import io.gatun.agent.host.KernelSettings;
import io.gatun.port.packet.NftLease;
import io.gatun.port.xdp.Lease;
import io.gatun.port.xdp.Pins;
import java.io.IOException;
import java.nio.file.Files;

/** What a daemon that died could not undo itself. */
public final class Leftovers {
  private Leftovers() {}

  /**
   * Takes every pinned stub off its interface, removes the pins and this namespace's nftables
   * table, and undoes every recorded setting; returns how many there were.
   */
  public static int undo(RunDirectory run) throws IOException, InterruptedException {
    try (InstanceLock lock = new InstanceLock(run)) {
      Predecessor.of(run, lock, true).end();
    }
    Files.deleteIfExists(run.socket());
    KernelSettings settings = KernelSettings.open(run.settings());
    KernelSettings overlay = KernelSettings.open(run.overlay());
    Origin.forget(run.objects());
    int unpinned = unpin(run);
    return unpinned + settings.undo() + overlay.undo();
  }

  private static int unpin(RunDirectory run) {
    int tables = NftLease.undo() ? 1 : 0;
    if (!Files.isDirectory(run.bpf())) {
      return tables;
    }
    Pins pins = Pins.mount(run.bpf());
    int interfaces = pins.interfaces().size();
    try (Lease lease = Lease.open(pins)) {
      lease.expire(); // from here on the kernel forwards, whatever is still attached
    }
    pins.remove();
    return interfaces + tables;
  }
}
