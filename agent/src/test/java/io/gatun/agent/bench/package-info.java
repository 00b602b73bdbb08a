/** Benchmarks as a user runs them: that they measure and clean up, not how fast we are. */
@org.jspecify.annotations.NullMarked
package io.gatun.agent.bench;
