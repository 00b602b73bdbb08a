package io.gatun.perf;

import java.io.IOException;

/** What is done while something else is measured or waited for. */
@FunctionalInterface
interface Work {
  void run() throws IOException;
}
