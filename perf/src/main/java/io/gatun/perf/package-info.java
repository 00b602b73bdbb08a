/**
 * Benchmarks: {@code gatun bench NAME}. A test asserts behaviour, a benchmark reports speed.
 *
 * <p>A {@link io.gatun.perf.Benchmark} measures {@link io.gatun.perf.Figure}s; {@link
 * io.gatun.perf.Bench} finds it by name and prints them with the machine that they were measured
 * on, as text or as one JSON object. A figure is the median of several runs; where a peer is
 * measured, its runs alternate with ours (A B B A …), so that a machine that drifts drifts for
 * both. Every benchmark proves, beside measuring, that the work was really done.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.perf;
