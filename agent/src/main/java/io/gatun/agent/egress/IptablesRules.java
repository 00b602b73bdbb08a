package io.gatun.agent.egress;

import io.gatun.agent.egress.NatRule.Action;
import io.gatun.control.document.Addresses;
import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads what {@code iptables-save -t nat} prints; see iptables-extensions(8). */
final class IptablesRules {
  private static final Pattern WORD = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"|(\\S+)");

  private final List<Predicate<Probe>> conditions = new ArrayList<>();
  private final List<Prefix> sources = new ArrayList<>();
  private Action action = Action.GO_ON;
  private String target = "";
  private boolean understood = true;

  private IptablesRules() {}

  static NatChains read(String text, NatChains.Family family) {
    NatChains chains = new NatChains();
    chains.hook("POSTROUTING", family);
    boolean nat = true;
    for (String line : text.lines().toList()) {
      if (line.startsWith("*")) {
        nat = line.equals("*nat");
      } else if (nat && line.startsWith("-A ")) {
        List<String> words = words(line);
        chains.add(words.get(1), new IptablesRules().rule(words.subList(2, words.size())));
      }
    }
    return chains;
  }

  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(line);
    while (matcher.find()) {
      words.add(matcher.group(1) == null ? matcher.group(2) : matcher.group(1));
    }
    return words;
  }

  private NatRule rule(List<String> words) {
    boolean not = false;
    Iterator<String> rest = words.iterator();
    while (rest.hasNext() && action == Action.GO_ON) {
      String word = rest.next();
      if (word.equals("!")) {
        not = true;
        continue;
      }
      String value = rest.hasNext() ? rest.next() : "";
      switch (word) {
        case "-s" -> sources.addAll(address(value, not, true));
        case "-d" -> address(value, not, false);
        case "-o" -> condition(not, probe -> probe.leavesBy(value));
        case "-p" -> condition(not, _ -> value.equals("tcp") || value.equals("all"));
        case "--mark" -> condition(not, _ -> unmarked(value));
        case "--dst-type" -> condition(not, _ -> value.equals("UNICAST"));
        case "--src-type" -> condition(not, _ -> value.equals("UNICAST"));
        case "--ctstate", "--state" -> condition(not, _ -> value.contains("NEW"));
        case "--pol" -> condition(not, _ -> value.equals("none"));
        // A set of sources is the pods', one of destinations the cluster's own: what Calico has.
        case "--match-set" -> {
          boolean source = rest.hasNext() && rest.next().startsWith("src");
          condition(not, _ -> source);
        }
        case "-m", "--comment", "--dir" -> {}
        case "-j", "-g" -> act(word, value); // what follows a target is its own
        default -> understood = false;
      }
      not = false;
    }
    if (!understood) {
      conditions.add(_ -> false);
    }
    return new NatRule(List.copyOf(conditions), action, target, List.copyOf(sources));
  }

  private void act(String how, String what) {
    action =
        switch (what) {
          case "MASQUERADE", "SNAT" -> Action.MASQUERADE;
          case "ACCEPT", "DROP" -> Action.ACCEPT;
          case "RETURN" -> Action.RETURN;
          // Changes of marks and the like; a chain of that name has no rules that we know.
          default -> how.equals("-g") ? Action.GOTO : Action.JUMP;
        };
    target = what;
  }

  private void condition(boolean not, Predicate<Probe> holds) {
    conditions.add(not ? holds.negate() : holds);
  }

  private List<Prefix> address(String text, boolean not, boolean source) {
    Prefix prefix = prefix(text);
    if (prefix == null) {
      understood = false;
      return List.of();
    }
    condition(not, probe -> prefix.contains(source ? probe.src() : probe.dst()));
    return List.of(prefix);
  }

  private static @Nullable Prefix prefix(String text) {
    InetAddress single = Addresses.parse(text);
    return single == null ? Prefix.parse(text) : Prefix.of(single);
  }

  /** Whether a packet without a mark matches {@code VALUE[/MASK]}. */
  private static boolean unmarked(String text) {
    String value = text.split("/", 2)[0];
    return value.matches("0x0+|0+");
  }
}
