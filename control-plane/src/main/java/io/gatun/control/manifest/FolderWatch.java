package io.gatun.control.manifest;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When files are to be looked at again; for one thread.
 *
 * <p>At once when the kernel says that something stirred in a folder in which they, or what links
 * lead to, lie (inotify(7)), and then each 20 ms until two looks in a row saw the same. Each second
 * besides, for what inotify does not tell: a folder above that was renamed. A file system on which
 * others may write (NFS, FUSE) tells nothing of that, so there, and where the kernel refuses to
 * watch, each 40 ms.
 */
final class FolderWatch {
  private static final Logger LOG = LoggerFactory.getLogger(FolderWatch.class);

  private static final long UNTIL_ALIKE = TimeUnit.MILLISECONDS.toNanos(20);

  /** With each of the control thread's cycles of 40 ms. */
  private static final long UNWATCHED = TimeUnit.MILLISECONDS.toNanos(35);

  private static final long WATCHED = TimeUnit.SECONDS.toNanos(1);

  /** Of which this kernel alone writes files. */
  private static final Set<String> LOCAL =
      Set.of("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "tmpfs", "ramfs", "overlay");

  private static final WatchEvent.Kind<?>[] ANYTHING = {
    StandardWatchEventKinds.ENTRY_CREATE,
    StandardWatchEventKinds.ENTRY_DELETE,
    StandardWatchEventKinds.ENTRY_MODIFY
  };

  private @Nullable WatchService service;
  private Set<WatchKey> keys = Set.of();
  private boolean refused;

  /** Everything is watched that can be. */
  private boolean complete;

  private boolean stirred = true;
  private long earliest = Long.MIN_VALUE;
  private long latest = Long.MIN_VALUE;

  /** Whether it is time to look; said again until {@link #looked}. */
  boolean isDue(long nowNanos) {
    if (earliest == Long.MIN_VALUE) {
      return true;
    }
    listen();
    return nowNanos - (stirred ? earliest : latest) >= 0;
  }

  private void listen() {
    if (service == null) {
      return;
    }
    for (WatchKey key = service.poll(); key != null; key = service.poll()) {
      stirred = true;
      key.pollEvents();
      if (!key.reset()) {
        complete = false; // its folder is gone
      }
    }
  }

  /** The last look saw something new, so another one is due soon. */
  boolean isSettling() {
    return earliest != Long.MIN_VALUE && latest == earliest;
  }

  /** That it is about to be looked: what stirs from now on is for the look after that one. */
  void looking() {
    listen();
    stirred = false;
  }

  /**
   * That it was looked.
   *
   * @param files what was found
   * @param alike that was the same as the time before
   */
  void looked(long nowNanos, Path path, Set<Path> files, boolean alike) {
    boolean again = !alike || keys.isEmpty();
    if (again) {
      watch(path, files);
    }
    earliest = nowNanos + UNTIL_ALIKE;
    latest = nowNanos + (again && !keys.isEmpty() ? UNTIL_ALIKE : complete ? WATCHED : UNWATCHED);
  }

  /** That it could not be looked: perhaps it can soon. */
  void failed(long nowNanos) {
    complete = false;
    earliest = nowNanos + UNTIL_ALIKE;
    latest = nowNanos + UNWATCHED;
  }

  private void watch(Path path, Set<Path> files) {
    complete = false;
    if (refused) {
      return;
    }
    try {
      if (service == null) {
        service = FileSystems.getDefault().newWatchService();
      }
      Set<WatchKey> next = new HashSet<>();
      boolean local = true;
      for (Path folder : folders(path, files)) {
        local &= LOCAL.contains(Files.getFileStore(folder).type());
        next.add(folder.register(service, ANYTHING));
      }
      for (WatchKey key : keys) {
        if (!next.contains(key)) {
          key.cancel();
        }
      }
      keys = next;
      complete = local;
    } catch (IOException e) {
      // A file or folder that is just going: the next look finds another state, and watches that.
      if (service == null) {
        refused = true;
        LOG.info("{}: is looked at each 40 ms, inotify: {}", path, e.getMessage());
      }
    }
  }

  /** Where a change is an entry's: the path's own folder, its entries', and those of links. */
  private static Set<Path> folders(Path path, Set<Path> files) throws IOException {
    Set<Path> folders = new HashSet<>();
    addFolder(path.toAbsolutePath(), folders);
    for (Path file : files) {
      addFolder(file.toAbsolutePath(), folders);
      addFolder(file.toRealPath(), folders);
    }
    if (Files.isDirectory(path)) {
      folders.add(path.toRealPath());
    }
    return folders;
  }

  private static void addFolder(Path entry, Set<Path> folders) throws IOException {
    Path parent = entry.getParent();
    if (parent != null) {
      folders.add(parent.toRealPath());
    }
  }
}
