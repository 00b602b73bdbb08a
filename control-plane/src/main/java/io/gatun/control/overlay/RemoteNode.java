package io.gatun.control.overlay;

import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import java.util.List;

/**
 * Another node of an overlay. Immutable.
 *
 * @param pods where its pods live, of the overlay's inner family or families
 * @param address in the underlay
 * @param mac of its VTEP
 */
public record RemoteNode(List<Prefix> pods, InetAddress address, MacAddress mac) {
  public RemoteNode {
    pods = List.copyOf(pods);
  }
}
