package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@link ServiceStage} decided on one packet, written down by the stage itself while it
 * decides: how {@code explain} knows. One thread; workers have none.
 */
public final class Decision {
  /** Who sent the packet. */
  public enum Client {
    OUTSIDE,
    POD,
    NODE
  }

  /** The packet is for a front (whatever becomes of it). */
  public boolean front;

  /** The destination is an address that a Service has. */
  public boolean serviceAddress;

  /** The destination is one of the node's own addresses. */
  public boolean ownAddress;

  public Client client = Client.OUTSIDE;

  /** Policy is Local, but the client is of this node and came by an external front. */
  public boolean shortCircuit;

  public boolean policyLocal;
  public boolean affinity;
  public boolean masquerade;
  public boolean hairpin;

  /** A pod on its way out of the pod networks. */
  public boolean egress;

  /** An echo request to a Service address, answered by ourselves. */
  public boolean echo;

  private final List<InetSocketAddress> candidates = new ArrayList<>();

  /** Forgets everything. */
  public void clear() {
    front = false;
    serviceAddress = false;
    ownAddress = false;
    client = Client.OUTSIDE;
    shortCircuit = false;
    policyLocal = false;
    affinity = false;
    masquerade = false;
    hairpin = false;
    egress = false;
    echo = false;
    candidates.clear();
  }

  /** Every endpoint that the flow might have been given. */
  public List<InetSocketAddress> candidates() {
    return List.copyOf(candidates);
  }

  void client(int kind) {
    client = kind == Clients.POD ? Client.POD : kind == Clients.NODE ? Client.NODE : Client.OUTSIDE;
  }

  void candidates(long set, boolean ipv6) {
    for (int i = 0, n = SetRecord.endpoints(set); i < n; i++) {
      long at = SetRecord.endpoint(set, i);
      candidates.add(
          new InetSocketAddress(
              io.gatun.flow.AddressWords.address(ipv6, Memory.getLong(at), Memory.getLong(at + 8)),
              SetRecord.port(at)));
    }
  }
}
