/**
 * Overlays that no daemon has set up in the kernel: from the configuration, or from the Node
 * objects that flannel annotates.
 *
 * <pre>
 *   configuration ─┐
 *   Node objects ──┴▶ OverlayDevice (this end, RemoteNodes) ─▶ OverlaySource ─▶ KernelMirror
 *                                                              ▲
 *                                              the kernel's tables
 * </pre>
 *
 * {@link io.gatun.control.overlay.OverlaySource} adds to what the kernel says a VXLAN device with
 * neighbours, forwarding entries and routes, exactly those that flanneld would have made. So there
 * is one way from tables to tunnels, whoever filled them. The kernel itself knows nothing of such a
 * device: when Gatun is dead, nobody takes it over. So the agent makes a device in the kernel
 * instead where it can, and this is for where it cannot.
 */
@NullMarked
package io.gatun.control.overlay;

import org.jspecify.annotations.NullMarked;
