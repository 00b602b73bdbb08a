package io.gatun.perf;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/** One thing that can be measured. Used once, by one thread. */
interface Benchmark {
  /** What {@code options} made of it, for the report: {@code {"flows": 1000}}. */
  Map<String, Object> arguments(BenchOptions options);

  /** False when all the work is done by other processes than this one. */
  default boolean isOfThisProcess(BenchOptions options) {
    return true;
  }

  /**
   * Measures; throws {@link IllegalStateException} when the work was not done as it should be, and
   * {@link IOException} when what has to be there could not be set up.
   */
  List<Figure> measure(BenchOptions options) throws IOException;
}
