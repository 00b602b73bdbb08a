package io.gatun.agent;

import java.nio.file.Path;

/**
 * Where a node's daemon keeps what outlives it: {@code gatun.sock}, {@code bpf/} (pins), {@code
 * state/} (flows), {@code lab/}. {@code GATUN_RUN_DIR} moves it, so that a laboratory can run
 * several nodes on one machine.
 */
public record RunDirectory(Path path) {
  private static final String DEFAULT = "/run/gatun";

  /** The one of this process. */
  public static RunDirectory current() {
    String set = System.getenv("GATUN_RUN_DIR");
    return new RunDirectory(Path.of(set == null || set.isEmpty() ? DEFAULT : set));
  }

  public Path socket() {
    return path.resolve("gatun.sock");
  }

  /** Where a living daemon waits for its successor. */
  public Path heir() {
    return path.resolve("heir.sock");
  }

  /** Holds the process id of one that would take the daemon's place at once. */
  public Path standby() {
    return path.resolve("standby");
  }

  /** Mount point of our own bpffs, because {@code ip netns exec} hides the usual one. */
  public Path bpf() {
    return path.resolve("bpf");
  }

  /** What is set in the kernel, to be undone by {@code gatun stop}. */
  public Path settings() {
    return path.resolve("settings");
  }

  /** The overlay's devices in the kernel, where they are ours; undone in the same way. */
  public Path overlay() {
    return path.resolve("overlay");
  }

  /** What the cluster was last known to have; on a disk, so that it outlives a reboot. */
  public Path objects() {
    return (path.equals(Path.of(DEFAULT)) ? Path.of("/var/lib/gatun") : path)
        .resolve("objects.json");
  }

  /** Where flows are kept for a successor, unless {@code conntrack.stateDir} says otherwise. */
  public Path state() {
    return path.resolve("state");
  }
}
