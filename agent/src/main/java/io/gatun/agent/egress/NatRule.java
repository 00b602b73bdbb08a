package io.gatun.agent.egress;

import io.gatun.control.document.Prefix;
import java.util.List;
import java.util.function.Predicate;

/**
 * A rule of a NAT chain. Immutable.
 *
 * @param conditions all of which have to hold
 * @param target the chain, for JUMP and GOTO; else empty
 * @param sources what its source is compared with: whom the rule may be about
 */
record NatRule(
    List<Predicate<Probe>> conditions, Action action, String target, List<Prefix> sources) {

  /** What becomes of a packet that it matches. */
  enum Action {
    MASQUERADE,
    ACCEPT,
    RETURN,
    JUMP,
    GOTO,
    GO_ON
  }

  boolean matches(Probe probe) {
    return conditions.stream().allMatch(condition -> condition.test(probe));
  }
}
