package io.gatun.agent.daemon;

import io.gatun.agent.RunDirectory;
import io.gatun.agent.UsageException;
import io.gatun.agent.check.Firewall;
import io.gatun.agent.config.Configuration;
import io.gatun.agent.config.ConfigurationException;
import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.explain.OfflineNode;
import io.gatun.control.HeapRoom;
import io.gatun.control.kubernetes.ApiObserver;
import io.gatun.control.manifest.ManifestSource;
import io.gatun.ffm.Libc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A process that is kept beside the daemon by its launcher, compiled and warm, to take its place
 * when it dies: most of a start is the JVM's. It has nothing that is the daemon's, asks no API
 * server, and reads everything anew when it is told to go.
 */
public final class Standby {
  private static final System.Logger LOG = System.getLogger("gatun");

  /** What the launcher says it with; SIGUSR1 is the JVM's own. */
  private static final String GO = "USR2";

  private static final String WARM = "warm";
  private static final String NONE = "none";
  private static final int SIGKILL = 9;

  /** The exit code of who is ended by SIGTERM. */
  private static final int TERMINATED = 143;

  /** So often that the compilers see what a start does; large clusters' less often. */
  private static final int REHEARSALS = 3;

  private static final long REHEARSING = TimeUnit.SECONDS.toNanos(3);

  private final CountDownLatch told = new CountDownLatch(1);
  private volatile boolean ended;
  private final Path config;
  private final @Nullable Path manifests;
  private final @Nullable Path kubeconfig;
  private final RunDirectory run;

  /**
   * How it is with the process that would take over here: {@code none}, {@code warming up}, {@code
   * warm}.
   */
  static String state(RunDirectory run) {
    try {
      List<String> lines = Files.readAllLines(run.standby());
      boolean lives = ProcessHandle.of(Long.parseLong(lines.getFirst())).isPresent();
      return !lives ? NONE : lines.contains(WARM) ? WARM : "warming up";
    } catch (IOException | NumberFormatException | NoSuchElementException e) {
      return NONE;
    }
  }

  private Standby(
      Path config, @Nullable Path manifests, @Nullable Path kubeconfig, RunDirectory run) {
    this.config = config;
    this.manifests = manifests;
    this.kubeconfig = kubeconfig;
    this.run = run;
  }

  /**
   * Returns true when the daemon's place is this process's, with the calling thread the one that
   * runs it; false when it is to end. What is read meanwhile is only for practice.
   *
   * @param launcher the process that says so, with whose end this one ends
   */
  public static boolean await(
      long launcher,
      Path config,
      @Nullable Path manifests,
      @Nullable Path kubeconfig,
      RunDirectory run)
      throws IOException, InterruptedException {
    Libc.parentDeathSignal(SIGKILL);
    if (Libc.getppid() != launcher) {
      throw new IOException("the launcher, process " + launcher + ", is gone");
    }
    if (!new Standby(config, manifests, kubeconfig, run).await()) {
      return false;
    }
    Niceness.comeBack();
    Libc.parentDeathSignal(0); // a daemon outlives its launcher
    LOG.log(System.Logger.Level.INFO, "the standby takes the daemon's place");
    return true;
  }

  private boolean await() throws IOException, InterruptedException {
    Signals.on(GO, told::countDown);
    Signals.on("TERM", this::end);
    Signals.on("INT", this::end);
    long self = ProcessHandle.current().pid();
    Files.writeString(run.standby(), self + "\n"); // the launcher may tell us from here on
    practise();
    Files.writeString(run.standby(), self + "\n" + WARM + "\n");
    told.await();
    Files.deleteIfExists(run.standby());
    return !ended;
  }

  private void end() {
    if (told.getCount() == 0) {
      Runtime.getRuntime().halt(TERMINATED); // on its way: a start that is ended, as any other
    }
    Niceness.comeBack(); // to remove what it practises with
    ended = true;
    told.countDown();
  }

  /** Ends early when told to go, or to end. */
  private void practise() {
    try {
      GatunConfiguration configuration = Configuration.read(config);
      quietly(() -> {
        long end = System.nanoTime() + REHEARSING;
        for (int i = 0; i < REHEARSALS && told.getCount() > 0 && System.nanoTime() < end; i++) {
          rehearse();
        }
      });
      WarmUp.run(configuration.conntrack().stateDir(), () -> told.getCount() == 0);
      System.gc();
    } catch (ConfigurationException | IOException | RuntimeException e) {
      // Whatever it is: a standby that is cold is better than none.
      LOG.log(System.Logger.Level.WARNING, "the standby is not warm: {0}", e.getMessage());
    }
  }

  @FunctionalInterface
  private interface Rehearsal {
    void run() throws ConfigurationException, IOException;
  }

  /** Whatever there is to say of what is read, the daemon has said. */
  private static void quietly(Rehearsal rehearsal) throws ConfigurationException, IOException {
    Logger root = LogManager.getLogManager().getLogger("");
    Level level = root.getLevel();
    root.setLevel(Level.OFF);
    try {
      rehearsal.run();
    } finally {
      root.setLevel(level);
    }
  }

  /** What a start reads, into tables that nobody uses. */
  private void rehearse() throws ConfigurationException, IOException {
    GatunConfiguration configuration = Configuration.read(config);
    Interfaces rules = new Interfaces(configuration);
    try {
      Preflight.refuse(rules.present(), run, Firewall.read(), List.of());
    } catch (UsageException e) {
      // Someone was told to ignore it.
    }
    ManifestSource objects = manifests == null ? null : Origin.read(manifests);
    Origin origin =
        Origin.of(configuration, objects, kubeconfig, run.objects(), new ApiObserver() {});
    origin.source(configuration, () -> {}, new ApiObserver() {}, HeapRoom.plenty());
    origin.close(false);
    new OfflineNode(configuration, objects, List.of()).close();
  }
}
