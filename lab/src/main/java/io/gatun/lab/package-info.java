/**
 * A laboratory: network namespaces joined by veth pairs, made in a fraction of a second and removed
 * without a trace.
 *
 * <p>Words. A {@link io.gatun.lab.Lab lab} has a name and a handful of {@link io.gatun.lab.Node
 * nodes}; a node is one network namespace. Every namespace of a lab begins with the lab's prefix
 * {@code gl<id>-}, and every link is made <em>inside</em> a namespace: the machine's own namespace
 * never sees one. So removing a lab is ending the processes that live in its namespaces and
 * deleting these; the kernel does the rest.
 *
 * <pre>
 *   $GATUN_RUN_DIR/lab/NAME/lab.properties   what to remove, written before it is made
 *   $GATUN_RUN_DIR/lab/NAME/NODE/            run directory of whatever runs on that node
 * </pre>
 *
 * <p>Since the file is written first, another process can take the lab down after a {@code kill -9}
 * of the one that made it. Commands enter with {@code nsenter --net}, not {@code ip netns exec},
 * which mounts a fresh /sys and thereby hides bpffs.
 */
@NullMarked
package io.gatun.lab;

import org.jspecify.annotations.NullMarked;
