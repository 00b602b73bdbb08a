package io.gatun.perf;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Pages of 2 MiB reserved while a benchmark runs; afterwards there are as many as before. */
final class HugePages implements Closeable {
  private static final Path RESERVED = Path.of("/proc/sys/vm/nr_hugepages");

  private final String before;

  private HugePages(String before) {
    this.before = before;
  }

  /** Reserves at least {@code megabytes} where the kernel has them to give. */
  static HugePages reserve(int megabytes) throws IOException {
    String before = Files.readString(RESERVED).strip();
    int pages = Math.max(Integer.parseInt(before), megabytes / 2);
    Files.writeString(RESERVED, Integer.toString(pages));
    return new HugePages(before);
  }

  @Override
  public void close() throws IOException {
    Files.writeString(RESERVED, before);
  }
}
