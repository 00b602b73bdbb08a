package io.gatun.control.model;

import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One endpoint of a slice and the state it is in. Immutable.
 *
 * @param address {@code addresses[0]}: the others mean nothing
 * @param ready takes new connections
 * @param serving answers, also while terminating
 * @param terminating is about to go
 * @param nodeName where it runs, null when unknown
 * @param nodeHints {@code hints.forNodes}; empty for none
 * @param zoneHints {@code hints.forZones}; empty for none
 */
public record EndpointState(
    InetAddress address,
    boolean ready,
    boolean serving,
    boolean terminating,
    @Nullable String nodeName,
    List<String> nodeHints,
    List<String> zoneHints) {}
