package io.gatun.control.kernel;

import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A route of the configuration. Immutable.
 *
 * @param via the next hop, null: the destination is on the link
 * @param dev the interface's name, null: the one on whose network {@code via} is
 */
public record StaticRoute(Prefix to, @Nullable InetAddress via, @Nullable String dev) {}
