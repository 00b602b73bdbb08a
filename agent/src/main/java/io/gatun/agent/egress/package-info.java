/**
 * Whether the kernel's rules on this node give pods the node's address on their way out of the
 * cluster: what {@code egress.masquerade: auto} asks, because Gatun forwards past those rules.
 *
 * <p>flannel, Calico, the CNI plugins and ip-masq-agent each write it in another way, so nobody's
 * names are looked for: the rules of the hook postrouting are read ({@link
 * io.gatun.agent.egress.NftRules}, {@link io.gatun.agent.egress.IptablesRules}) and a pod's first
 * packet to a public address is taken through them ({@link io.gatun.agent.egress.NatChains}). A
 * rule with a condition that is not understood is taken for one that does not match.
 */
@NullMarked
package io.gatun.agent.egress;

import org.jspecify.annotations.NullMarked;
