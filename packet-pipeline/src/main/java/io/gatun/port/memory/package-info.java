/**
 * A port without a wire: frames come from the program and go back to it. Tests push bytes in, step
 * the worker by hand and take bytes out; benchmarks replay a fixed set of frames for ever.
 *
 * <pre>
 *   push(bytes) ─▶ frame from the pool ─▶ rx ─▶ worker ─▶ tx ─▶ take() = bytes, frame to the pool
 * </pre>
 */
@NullMarked
package io.gatun.port.memory;

import org.jspecify.annotations.NullMarked;
