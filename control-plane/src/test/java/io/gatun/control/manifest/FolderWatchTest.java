package io.gatun.control.manifest;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Time is the test's own; only what the kernel says comes by itself. */
class FolderWatchTest {
  private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

  @TempDir Path outside;

  private final FolderWatch watch = new FolderWatch();
  private Path folder;
  private Path file;
  private long now = 1000 * MILLI;

  @BeforeEach
  void createFile() throws IOException {
    folder = Files.createDirectory(outside.resolve("manifests"));
    file = Files.writeString(folder.resolve("a.yaml"), "a");
  }

  /** As the source does, until nothing is to be done: what stirred may be said a little later. */
  private void settle(Set<Path> files) {
    assertTrue(watch.isDue(now));
    watch.looking();
    watch.looked(now, folder, files, false);
    assertTrue(watch.isSettling());
    int looks = 0;
    do {
      assertTrue(looks++ < 100, "looks on and on");
      now += 20 * MILLI;
      LockSupport.parkNanos(20 * MILLI);
      assertTrue(watch.isDue(now) || looks > 1, "a second look");
      watch.looking();
      watch.looked(now, folder, files, true);
      LockSupport.parkNanos(20 * MILLI);
    } while (watch.isDue(now + 900 * MILLI));
    assertFalse(watch.isSettling());
    now += 900 * MILLI;
  }

  private void assertStirs(String what) {
    long start = System.nanoTime();
    while (!watch.isDue(now)) {
      assertTrue(System.nanoTime() - start < 5000 * MILLI, what + " was not noticed");
      LockSupport.parkNanos(MILLI);
    }
  }

  @Test
  void shouldLookOnceASecondWhereNothingStirs() {
    settle(Set.of(file));
    now += 99 * MILLI;
    assertFalse(watch.isDue(now));
    now += MILLI;
    assertTrue(watch.isDue(now));
  }

  @Test
  void shouldLookWhenAFileIsWrittenAddedOrRemoved() throws IOException {
    settle(Set.of(file));
    Files.writeString(file, "b");
    assertStirs("a write");
    settle(Set.of(file));
    Path added = Files.writeString(folder.resolve("b.yaml"), "b");
    assertStirs("a new file");
    settle(Set.of(file, added));
    Files.delete(added);
    assertStirs("a file that went");
  }

  @Test
  void shouldNotLookAgainAtOnceWhileThingsStir() throws IOException {
    settle(Set.of(file));
    Files.writeString(file, "b");
    assertStirs("a write");
    watch.looking();
    watch.looked(now, folder, Set.of(file), false);
    Files.writeString(file, "c");
    now += 19 * MILLI;
    assertFalse(watch.isDue(now));
    now += MILLI;
    assertTrue(watch.isDue(now));
  }

  /** What is empty from the start looks alike from the start. */
  @Test
  void shouldWatchAFolderThatIsEmpty() throws IOException {
    Files.delete(file);
    watch.looking();
    watch.looked(now, folder, Set.of(), true);
    now += 20 * MILLI;
    settle(Set.of());
    Files.writeString(file, "a");
    assertStirs("the first file");
  }

  /** As the kubelet does with a ConfigMap. */
  @Test
  void shouldLookWhenALinkSwitchesOrItsTargetIsWritten() throws IOException {
    Path first = Files.createDirectory(folder.resolve("..1"));
    Path second = Files.createDirectory(folder.resolve("..2"));
    Path target = Files.writeString(first.resolve("c.yaml"), "1");
    Files.writeString(second.resolve("c.yaml"), "2");
    Files.createSymbolicLink(folder.resolve("..data"), Path.of("..1"));
    Path link = Files.createSymbolicLink(folder.resolve("c.yaml"), Path.of("..data/c.yaml"));
    settle(Set.of(link));
    Files.writeString(target, "1, written");
    assertStirs("a write behind a link");
    settle(Set.of(link));
    Path next = Files.createSymbolicLink(folder.resolve("..tmp"), Path.of("..2"));
    assertStirs("a new link");
    settle(Set.of(link));
    Files.move(next, folder.resolve("..data"), StandardCopyOption.REPLACE_EXISTING);
    assertStirs("a switch");
  }

  @Test
  void shouldLookWhenTheFolderIsReplaced() throws IOException {
    settle(Set.of(file));
    Path other = Files.createDirectory(outside.resolve("other"));
    Files.move(folder, outside.resolve("was"));
    assertStirs("a folder that was renamed");
    watch.looking();
    watch.failed(now);
    now += 35 * MILLI;
    assertTrue(watch.isDue(now), "it may come back");
    Files.move(other, folder);
    settle(Set.of());
    Files.writeString(file, "b");
    assertStirs("a write to the new folder");
  }

  /** Others could write there, and inotify would not tell: /proc stands for NFS here. */
  @Test
  void shouldKeepLookingWhereTheKernelDoesNotKnowOfAllWriters() {
    Path far = Path.of("/proc/version");
    watch.looking();
    watch.looked(now, far, Set.of(far), false);
    now += 20 * MILLI;
    watch.looking();
    watch.looked(now, far, Set.of(far), true);
    now += 34 * MILLI;
    assertFalse(watch.isDue(now));
    now += MILLI;
    assertTrue(watch.isDue(now));
  }
}
