package io.gatun.control.kernel;

import io.gatun.control.document.MacAddress;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A neighbour as the data path knows it, for people. Immutable.
 *
 * @param state the kernel's word, or {@code configured}
 * @param port the port behind which it is, null while that is unknown
 * @param used a route leads there
 */
public record NeighbourView(
    InetAddress address,
    String dev,
    @Nullable MacAddress mac,
    String state,
    @Nullable String port,
    boolean used) {}
