package io.gatun.tunnel;

import java.net.InetAddress;

/** The other end of tunnel {@code number}: who sends from there is counted under it. Immutable. */
public record Remote(InetAddress address, int vni, int number) {}
