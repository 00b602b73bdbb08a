/** An API server that behaves, one that misbehaves on purpose, and what becomes of the state. */
@NullMarked
package io.gatun.control.kubernetes;

import org.jspecify.annotations.NullMarked;
