/**
 * The demonstration: real clients and servers on two nodes, through Kubernetes Services.
 *
 * <p>{@link io.gatun.lab.demo.Demo} builds {@link io.gatun.lab.TwoNodes}, writes for each node a
 * configuration and the manifests of the Services, has somebody start a {@link
 * io.gatun.lab.demo.NodeDataplane dataplane} on each, sends traffic and says for every check what
 * was seen. What translates the Services it does not know: the integration test proves the checks
 * against the kernel's own nftables, the agent runs them against Gatun.
 *
 * <pre>
 *   curl, dig, iperf3 (pods, outside)  →  dataplane of the node  →  http, dnsmasq, iperf3 -s (pods)
 * </pre>
 */
@NullMarked
package io.gatun.lab.demo;

import org.jspecify.annotations.NullMarked;
