package io.gatun.control.kernel;

import io.gatun.control.document.MacAddress;
import java.net.InetAddress;

/** A neighbour of the configuration, on the interface called {@code dev}. Immutable. */
public record StaticNeighbour(InetAddress ip, MacAddress mac, String dev) {}
