package io.gatun.agent.check;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rules of this network namespace, as the programs print them that are installed. Immutable.
 *
 * @param nft {@code nft -j list ruleset}; null without one that works
 * @param iptables of both kinds of iptables and both families
 */
public record Firewall(@Nullable String nft, List<Saved> iptables) {
  private static final Map<String, Boolean> SAVE =
      Map.of(
          "iptables-save", false,
          "ip6tables-save", true,
          "iptables-legacy-save", false,
          "ip6tables-legacy-save", true);

  /** What one {@code iptables-save} printed. */
  public record Saved(String text, boolean ipv6) {}

  /** Asks all programs, at the same time, and waits for them. */
  public static Firewall read() {
    Program nft = Program.start("nft", "-j", "list", "ruleset");
    List<Program> saves = new ArrayList<>();
    List<Boolean> ipv6 = new ArrayList<>();
    SAVE.forEach((name, six) -> {
      saves.add(Program.start(name));
      ipv6.add(six);
    });
    List<Saved> saved = new ArrayList<>();
    String rules = nft.output();
    for (int i = 0; i < saves.size(); i++) {
      String text = saves.get(i).output();
      if (text != null) {
        saved.add(new Saved(text, ipv6.get(i)));
      }
    }
    return new Firewall(rules, List.copyOf(saved));
  }

  /** Whether there was a program to read anything with. */
  boolean seen() {
    return nft != null || !iptables.isEmpty();
  }
}
