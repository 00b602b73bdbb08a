package io.gatun.agent.egress;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.Prefix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The chains of one NAT table, and which of them hang on the hook postrouting. One thread. */
final class NatChains {
  /** The kernel's own bound is 16 (NFT_JUMP_STACK_SIZE); loops do not load there. */
  private static final int DEEPEST = 32;

  private final Map<String, List<NatRule>> chains = new LinkedHashMap<>();
  private final Map<String, Family> hooked = new LinkedHashMap<>();

  /** Whose packets come by. */
  enum Family {
    IPV4,
    IPV6,
    BOTH
  }

  private enum Fate {
    MASQUERADED,
    ACCEPTED,
    GOES_ON
  }

  /** Whatever hangs on the hook has to be told by {@link #hook}. */
  void add(String chain, NatRule rule) {
    chains.computeIfAbsent(chain, _ -> new ArrayList<>()).add(rule);
  }

  void hook(String chain, Family family) {
    hooked.put(chain, family);
  }

  boolean masquerades(Probe probe) {
    Family other = Addresses.isIpv6(probe.src()) ? Family.IPV4 : Family.IPV6;
    return hooked.entrySet().stream()
        .filter(chain -> chain.getValue() != other)
        .anyMatch(chain -> walk(chain.getKey(), probe, 0) == Fate.MASQUERADED);
  }

  /** What rules compare sources with. */
  List<Prefix> sources() {
    return chains.values().stream()
        .flatMap(List::stream)
        .flatMap(rule -> rule.sources().stream())
        .toList();
  }

  private Fate walk(String chain, Probe probe, int depth) {
    if (depth > DEEPEST) {
      return Fate.ACCEPTED;
    }
    for (NatRule rule : chains.getOrDefault(chain, List.of())) {
      if (!rule.matches(probe)) {
        continue;
      }
      switch (rule.action()) {
        case MASQUERADE -> {
          return Fate.MASQUERADED;
        }
        case ACCEPT -> {
          return Fate.ACCEPTED;
        }
        case RETURN -> {
          return Fate.GOES_ON;
        }
        case GOTO -> {
          return walk(rule.target(), probe, depth + 1);
        }
        case JUMP -> {
          Fate fate = walk(rule.target(), probe, depth + 1);
          if (fate != Fate.GOES_ON) {
            return fate;
          }
        }
        case GO_ON -> {}
      }
    }
    return Fate.GOES_ON;
  }
}
