/**
 * The kernel's tables, mirrored: links, addresses, routes and neighbours become routes and
 * adjacencies of the data path.
 *
 * <p>Whatever programs the kernel's tables (a CNI plugin, a routing daemon, {@code ip route}) so
 * programs the data path. What the configuration adds stands beside it: {@link
 * io.gatun.control.kernel.StaticRoute} and {@link io.gatun.control.kernel.StaticNeighbour}.
 */
@NullMarked
package io.gatun.control.kernel;

import org.jspecify.annotations.NullMarked;
