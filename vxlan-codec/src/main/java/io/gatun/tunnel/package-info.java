/**
 * VXLAN (RFC 7348): Ethernet frames of pods inside UDP packets of nodes.
 *
 * <pre>
 *   before encapsulation                  │ Ethernet │ IP │ TCP …
 *   after it    │ Ethernet │ IPv4 │ UDP │ VXLAN │ Ethernet │ IP │ TCP …
 *               └ 14 ───── 20 ─── 8 ─── 8 ──────┘ one template, copied into the headroom
 * </pre>
 *
 * A <i>tunnel</i> ({@link io.gatun.tunnel.Tunnel}) is the way to one remote node: everything that
 * is the same for all its packets stands ready in one line of the {@link
 * io.gatun.tunnel.TunnelTable}. The route stage gives a packet the inner Ethernet header (to the
 * remote VTEP's MAC) and names the tunnel; {@link io.gatun.tunnel.EncapStage} copies the template
 * before it and fills in what differs: lengths, identification, source port, ECN and checksum. So
 * the underlay's route and neighbour were looked up by the control thread, once, not for every
 * packet.
 *
 * <p>A <i>VTEP</i> ({@link io.gatun.tunnel.Vtep}) is where tunnels to this node end. {@link
 * io.gatun.tunnel.DecapStage} takes the outer headers off, whoever sent them, and has the inner
 * packet parsed as if it had just arrived. What it carries that is not ours (ARP, groups, other
 * MACs) goes to the kernel's device whole, as it came.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.tunnel;
