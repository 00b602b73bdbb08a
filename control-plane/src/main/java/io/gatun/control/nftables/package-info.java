/**
 * The kernel's rules for the same fronts, as kube-proxy in nftables mode writes them (Kubernetes
 * 1.33, {@code pkg/proxy/nftables/proxier.go}): what the kernel would do in our place, and what
 * benchmarks compare with.
 *
 * <pre>
 *   nat hooks ─ chain services ─ map service-ips: address . protocol . port ─▶ chain service-…
 *                                                                               mark for masquerade
 *                                                      numgen random mod N ─▶ chain endpoint-… dnat
 * </pre>
 */
@NullMarked
package io.gatun.control.nftables;

import org.jspecify.annotations.NullMarked;
