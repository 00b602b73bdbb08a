/**
 * Where the desired state comes from, and how it becomes tables.
 *
 * <p>Three sources: Kubernetes objects ({@code manifest}, {@code model}), the kernel's own tables
 * ({@code kernel}) and the configuration. {@code service} turns objects into fronts. One control
 * thread runs all of it and is the only writer of the data path's tables.
 */
@NullMarked
package io.gatun.control;

import org.jspecify.annotations.NullMarked;
