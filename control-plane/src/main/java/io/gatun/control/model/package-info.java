/**
 * Kubernetes objects, as much of them as a Service dataplane reads. Immutable, validated when read.
 *
 * <p>Defaults are already applied (KEP and API conventions): {@code ready} nil is true, a port
 * without a protocol is TCP, an absent policy is Cluster. Two equal objects mean the same to the
 * data path, so a change of an annotation or a resource version is no change here.
 */
@NullMarked
package io.gatun.control.model;

import org.jspecify.annotations.NullMarked;
