package io.gatun.control.kernel;

import io.gatun.control.document.MacAddress;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A tunnel to one remote node, for people and tests. Immutable.
 *
 * @param number in the data path's table; 0 while the kernel sends what goes there
 * @param dev the kernel's VXLAN device
 * @param local the outer packets' source; null while there is none of the remote's family
 * @param port UDP destination port
 * @param mac of the VTEP at the other end
 * @param via the underlay's next hop, null where nothing of ours leads there
 * @param out the port that the outer packets leave by, null while nothing is known of it
 * @param mtu of the pods' packets: what both the device and the underlay allow
 * @param deviceMtu what the device alone says: more than {@code mtu} is a mistake of somebody's
 */
public record TunnelView(
    int number,
    String dev,
    int vni,
    @Nullable InetAddress local,
    InetAddress remote,
    int port,
    MacAddress mac,
    @Nullable InetAddress via,
    @Nullable String out,
    int mtu,
    int deviceMtu) {}
