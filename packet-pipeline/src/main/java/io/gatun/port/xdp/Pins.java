package io.gatun.port.xdp;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.bpf.Bpf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The BPF file system of one node, {@code $RUN/bpf}: where maps, programs and links outlive the
 * process. For the control side.
 *
 * <p>Mount it from a process whose mounts last: inside {@code ip netns exec} mounts are private and
 * end with the process, and so would every pin.
 */
public final class Pins {
  private final Path root;

  private Pins(Path root) {
    this.root = root;
  }

  /** Makes {@code root} and mounts a bpffs there unless there is one already. */
  public static Pins mount(Path root) {
    try {
      Files.createDirectories(root);
      Path real = root.toRealPath();
      if (!isMountPoint(real)) {
        NativeException.check(
            Bpf.mountBpffs(real.toString()), "mount bpffs at " + real, "needs CAP_SYS_ADMIN");
      }
      return new Pins(real);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot prepare " + root, e);
    }
  }

  private static boolean isMountPoint(Path path) throws IOException {
    // proc(5), mountinfo: the fifth field is the mount point
    try (Stream<String> lines = Files.lines(Path.of("/proc/thread-self/mountinfo"))) {
      return lines.anyMatch(line -> line.split(" ", 6)[4].equals(path.toString()));
    }
  }

  /** Where the file system is mounted. */
  public Path root() {
    return root;
  }

  /** Interfaces with pins, also of a process that has died. */
  public List<String> interfaces() {
    try (Stream<Path> entries = Files.list(root)) {
      return entries.filter(Files::isDirectory).map(p -> p.getFileName().toString()).toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + root, e);
    }
  }

  Path directory(String ifName) {
    Path directory = root.resolve(ifName);
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make " + directory, e);
    }
    return directory;
  }

  /**
   * Undoes everything that is pinned for {@code ifName}, whoever pinned it: the stub leaves the
   * interface, the pins go.
   */
  public void detach(String ifName) {
    Path directory = root.resolve(ifName);
    if (!Files.isDirectory(directory)) {
      return;
    }
    int link = Bpf.get(directory.resolve(Attachment.LINK).toString());
    if (link >= 0) {
      Bpf.detachLink(link);
      Libc.close(link);
    }
    for (String name : Attachment.PINNED) {
      remove(directory.resolve(name));
    }
    remove(directory);
  }

  /** Undoes everything: all interfaces, the lease, the mount, the directory. */
  public void remove() {
    interfaces().forEach(this::detach);
    for (String name :
        List.of(Lease.PIN, OwnTraffic.ADDRESSES4, OwnTraffic.ADDRESSES6, OwnTraffic.CLAIMS)) {
      remove(root.resolve(name));
    }
    int result = Libc.umount(root.toString(), 0);
    if (result == -Errno.EPERM) {
      return; // mounted by whoever gave us the right to pin and not the right to mount
    }
    NativeException.check(result, "unmount " + root, "somebody still works in it");
    remove(root);
  }

  static void remove(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove " + path, e);
    }
  }

  static void pin(int fd, Path path, String what) {
    NativeException.check(
        Bpf.pin(fd, path.toString()), "pin " + what + " at " + path, "needs CAP_BPF; is it bpffs?");
  }
}
