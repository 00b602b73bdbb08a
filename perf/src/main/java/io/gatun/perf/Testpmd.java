package io.gatun.perf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DPDK's {@code dpdk-testpmd} over its AF_XDP driver, which passes frames on as they are. Whether
 * busy polling helps depends on kernel and machine: it is run with the better of two budgets.
 */
final class Testpmd extends VethSide {
  static final String PROGRAM = "dpdk-testpmd";

  private static final int[] BUDGETS = {0, 64};

  /** Huge pages, in megabytes: what its packet buffers take, and something for ours. */
  static final int MEGABYTES = 384;

  private static final double TRIAL_SECONDS = 0.5;
  private static final int TRIES = 5;
  private static final double PATIENCE_SECONDS = 30;
  private static final double STEP_SECONDS = 0.1;

  private final Path log;
  private final HugePages pages;
  private int budget = -1;
  private @Nullable Process process;

  Testpmd(VethPath path, Load load, HugePages pages) throws IOException {
    super(path, load);
    this.pages = pages;
    log = Files.createDirectories(path.node().runDirectory()).resolve("testpmd.log");
  }

  String command() {
    return String.join(" ", words(Math.max(0, budget)));
  }

  private static List<String> words(int budget) {
    return List.of(
        PROGRAM,
        "--lcores",
        "0@%d,1@%d".formatted(VethPath.SOURCE_CPU, VethPath.FORWARDER_CPU),
        "--no-pci",
        "--in-memory",
        "-m",
        "256",
        "--vdev=net_af_xdp0,iface=%s,busy_budget=%d".formatted(VethPath.IN, budget),
        "--vdev=net_af_xdp1,iface=%s,busy_budget=%d".formatted(VethPath.OUT, budget),
        "--",
        "--forward-mode=io",
        "--auto-start",
        "--nb-cores=1",
        "--total-num-mbufs=32768",
        "--stats-period",
        "2");
  }

  @Override
  public void enter() throws IOException {
    if (budget < 0) {
      budget = better();
    }
    start(budget);
  }

  private int better() throws IOException {
    int best = BUDGETS[0];
    double most = 0;
    for (int tried : BUDGETS) {
      start(tried);
      double rate = send(TRIAL_SECONDS);
      leave();
      if (rate > most) {
        most = rate;
        best = tried;
      }
    }
    return best;
  }

  /** Others may take the huge pages between our having them free and DPDK's taking them. */
  private void start(int with) throws IOException {
    for (int tries = 1; !starts(with); tries++) {
      if (tries == TRIES) {
        throw new IOException("testpmd did not start:\n" + Files.readString(log));
      }
    }
  }

  private boolean starts(int with) throws IOException {
    pages.haveFree(MEGABYTES);
    process =
        new ProcessBuilder(path.node().enter(words(with)))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start(); // its input stays open: it ends when it reads the end of it
    for (double waited = 0; waited < PATIENCE_SECONDS; waited += STEP_SECONDS) {
      if (Files.readString(log).contains("Port statistics")) {
        return true;
      }
      if (!process.isAlive()) {
        return false;
      }
      VethPath.sleep(STEP_SECONDS);
    }
    leave();
    return false;
  }

  @Override
  public void leave() throws IOException {
    if (process == null) {
      return;
    }
    try {
      Program.end(process);
    } finally {
      process = null;
    }
  }
}
