package io.gatun.perf;

import java.util.List;
import java.util.Map;

/** One thing that can be measured. Used once, by one thread. */
interface Benchmark {
  /** What {@code options} made of it, for the report: {@code {"flows": 1000}}. */
  Map<String, Object> arguments(BenchOptions options);

  /** Measures; throws {@link IllegalStateException} when the work was not done as it should be. */
  List<Figure> measure(BenchOptions options);
}
