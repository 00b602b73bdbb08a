/**
 * The kernel as small typed methods: the only place where native code is called.
 *
 * <p>Everything goes through one method handle for libc's {@code syscall(long, ...)}: one
 * instruction sequence to warm up, one way of reading errno, and numbers instead of symbols, so
 * that nothing depends on what the C library wraps. Two things follow. Methods return a value or
 * −errno, never throw, and {@link io.gatun.ffm.Errno} gives the name. Pointers are {@code long}
 * addresses of memory the caller owns ({@link io.gatun.ffm.memory.NativeArea}), so that a hot call
 * makes no object.
 *
 * <p>What is set up once (sockets, maps, programs) throws {@link io.gatun.ffm.NativeException},
 * whose message is the call, the error's name and one line saying what to do about it.
 */
@NullMarked
package io.gatun.ffm;

import org.jspecify.annotations.NullMarked;
