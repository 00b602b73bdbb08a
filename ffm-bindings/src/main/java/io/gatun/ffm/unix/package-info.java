/**
 * Sockets between processes of one machine, for what Java's own cannot carry: open descriptors
 * (SCM_RIGHTS, unix(7)). A process that ends gives its sockets and its memory to its successor that
 * way, and to the kernel nothing has changed hands.
 */
@NullMarked
package io.gatun.ffm.unix;

import org.jspecify.annotations.NullMarked;
