/**
 * Bridged pods: frames whose destination MAC address is not the node's are <i>switched</i>, as the
 * kernel's bridge would: without a look at routes, with their MAC addresses and their TTL.
 *
 * <p>The kernel's bridge stays what it is: it has the table, learns and floods. What is for a MAC
 * address that is not in our copy of the table it keeps ({@link
 * io.gatun.bridge.Switchboard.Domain#macs}: the driver leaves such frames to it), so that unknown
 * and group addresses, VLANs and whatever the bridge forbids are its affair. Ours are the frames
 * for addresses that it has learnt behind ports of ours, because Services' replies are among them:
 * an endpoint answers a client on the same bridge directly, and somebody has to translate it.
 *
 * <p>Since the bridge does not see what we switch, it is told: of the sender of a frame when its
 * table lacks it ({@link io.gatun.bridge.Sightings}; the frame waits for a moment), and, before it
 * forgets them, of addresses in use.
 *
 * <pre>
 *   a <i>domain</i>: ports of one bridge with one VLAN and one rule of isolation
 *
 *   frame ── source known at this port? ──no──► waits, the kernel is told
 *              │ yes
 *            destination: the node's ──► routed, like everything else
 *                         a port's   ──► SWITCHED: the other stages, then out as it is
 *                         no entry   ──► dropped here: the kernel's bridge has its own copy
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package io.gatun.bridge;
