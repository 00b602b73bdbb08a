/**
 * {@code gatun explain}: the verdict for a flow that nobody has sent, from the code that forwards.
 *
 * <p>A {@link io.gatun.agent.explain.FlowQuery} becomes a real packet ({@link
 * io.gatun.agent.explain.SynthesizedPacket}), which goes through the worker's own stages over the
 * tables that the control plane's own code filled: those of the running daemon, or tables made for
 * this purpose from a configuration and manifests ({@link io.gatun.agent.explain.OfflineNode}).
 * Only the flow table is a private one, so that asking changes nothing. The Service stage writes
 * down what it decides ({@link io.gatun.service.Decision}); {@link
 * io.gatun.agent.explain.Explainer} puts that, the packet as it came out and its verdict into an
 * {@link io.gatun.agent.explain.Explanation}.
 */
@NullMarked
package io.gatun.agent.explain;

import org.jspecify.annotations.NullMarked;
