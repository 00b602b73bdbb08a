package io.gatun.perf;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Pages of 2 MiB reserved while a benchmark runs; afterwards there are as many as before. */
final class HugePages implements Closeable {
  private static final Path RESERVED = Path.of("/proc/sys/vm/nr_hugepages");

  private static final Path MEMORY = Path.of("/proc/meminfo");

  private final String before;

  private HugePages(String before) {
    this.before = before;
  }

  /** Has at least {@code megabytes} of them free, where the kernel has them to give. */
  static HugePages reserve(int megabytes) throws IOException {
    HugePages pages = new HugePages(Files.readString(RESERVED).strip());
    pages.haveFree(megabytes);
    return pages;
  }

  /** The same again: whoever else runs on the machine may have taken what was free. */
  void haveFree(int megabytes) throws IOException {
    long lacking = megabytes / 2 - free(Files.readAllLines(MEMORY));
    if (lacking > 0) {
      long reserved = Long.parseLong(Files.readString(RESERVED).strip());
      Files.writeString(RESERVED, Long.toString(reserved + lacking));
    }
  }

  /** proc_meminfo(5): {@code HugePages_Free: 3}; others may use what is reserved. */
  static long free(List<String> memory) {
    return memory.stream()
        .filter(line -> line.startsWith("HugePages_Free:"))
        .mapToLong(line -> Long.parseLong(line.substring(line.indexOf(':') + 1).strip()))
        .findFirst()
        .orElse(0);
  }

  @Override
  public void close() throws IOException {
    Files.writeString(RESERVED, before);
  }
}
