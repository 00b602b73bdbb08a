package io.gatun.flow;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A directory whose files are memory: where it is not on tmpfs or hugetlbfs, a tmpfs of ours is
 * mounted over it, on huge pages if the kernel has them for tmpfs. It outlives the process.
 */
record StateDirectory(Path path) {
  private static final Set<String> IN_MEMORY = Set.of("tmpfs", "hugetlbfs", "ramfs");

  /** What our mounts are known by. */
  private static final String SOURCE = "gatun-state";

  private static final int MNT_DETACH = 2; // sys/mount.h

  static StateDirectory prepare(Path directory) throws IOException {
    Files.createDirectories(directory);
    Path path = directory.toRealPath();
    if (!IN_MEMORY.contains(Files.getFileStore(path).type())
        && Libc.mount(SOURCE, path.toString(), "tmpfs", 0, "mode=0700,huge=always") != 0) {
      NativeException.check(
          Libc.mount(SOURCE, path.toString(), "tmpfs", 0, "mode=0700"),
          "mount tmpfs at " + path,
          "set conntrack.stateDir to a directory on tmpfs or hugetlbfs");
    }
    return new StateDirectory(path);
  }

  /**
   * Takes our tmpfs away, if there is one; what is mapped from it lives on until it is unmapped.
   */
  void remove() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/thread-self/mounts"))) {
      if (lines.anyMatch(line -> line.startsWith(SOURCE + " " + path + " "))) {
        Libc.umount(path.toString(), MNT_DETACH);
      }
    }
  }
}
