package io.gatun.agent.egress;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.agent.egress.NatRule.Action;
import io.gatun.control.document.Addresses;
import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Reads what {@code nft -j list ruleset} prints; see libnftables-json(5). What iptables wrote there
 * is read too, as far as it needs no extension.
 */
final class NftRules {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** By "family table name": the elements. */
  private final Map<String, JsonNode> sets = new HashMap<>();

  private NftRules() {}

  static NatChains read(String text) {
    try {
      return new NftRules().all(JSON.readTree(text).path("nftables"));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("nft -j printed what is no JSON", e);
    }
  }

  private NatChains all(JsonNode objects) {
    NatChains chains = new NatChains();
    for (JsonNode object : objects) {
      JsonNode set = object.path("set");
      JsonNode chain = object.path("chain");
      if (!set.isMissingNode()) {
        sets.put(place(set) + set.path("name").asText(), set.path("elem"));
      } else if (chain.path("type").asText().equals("nat")
          && chain.path("hook").asText().equals("postrouting")) {
        chains.hook(place(chain) + chain.path("name").asText(), family(chain));
      }
    }
    for (JsonNode object : objects) {
      JsonNode rule = object.path("rule");
      if (!rule.isMissingNode()) {
        String place = place(rule);
        chains.add(place + rule.path("chain").asText(), rule(rule.path("expr"), place));
      }
    }
    return chains;
  }

  private static NatChains.Family family(JsonNode chain) {
    return switch (chain.path("family").asText()) {
      case "ip" -> NatChains.Family.IPV4;
      case "ip6" -> NatChains.Family.IPV6;
      default -> NatChains.Family.BOTH;
    };
  }

  private static String place(JsonNode object) {
    return object.path("family").asText() + " " + object.path("table").asText() + " ";
  }

  private NatRule rule(JsonNode expressions, String place) {
    List<Predicate<Probe>> conditions = new ArrayList<>();
    List<Prefix> sources = new ArrayList<>();
    Action action = Action.GO_ON;
    String target = "";
    for (JsonNode expression : expressions) {
      String what = expression.fieldNames().hasNext() ? expression.fieldNames().next() : "";
      JsonNode inside = expression.path(what);
      switch (what) {
        case "match" -> conditions.add(condition(inside, place, sources));
        case "masquerade", "snat" -> action = Action.MASQUERADE;
        case "accept", "drop", "reject" -> action = Action.ACCEPT;
        case "return" -> action = Action.RETURN;
        case "jump", "goto" -> {
          action = what.equals("jump") ? Action.JUMP : Action.GOTO;
          target = place + inside.path("target").asText();
        }
        case "xt" -> {
          String name = inside.path("name").asText();
          if (name.equals("MASQUERADE") || name.equals("SNAT")) {
            action = Action.MASQUERADE;
          } else if (!name.equals("comment")) {
            conditions.add(_ -> false);
          }
        }
        case "counter", "log", "mangle", "notrack" -> {}
        default -> conditions.add(_ -> false);
      }
    }
    return new NatRule(List.copyOf(conditions), action, target, List.copyOf(sources));
  }

  private Predicate<Probe> condition(JsonNode match, String place, List<Prefix> sources) {
    JsonNode left = match.path("left");
    JsonNode right = match.path("right");
    boolean not = match.path("op").asText().equals("!=");
    String field = left.path("payload").path("field").asText();
    Predicate<Probe> holds = null;
    if (field.equals("saddr") || field.equals("daddr")) {
      boolean source = field.equals("saddr");
      List<Predicate<InetAddress>> inside = new ArrayList<>();
      addresses(right, place, inside, source ? sources : new ArrayList<>());
      holds =
          probe -> inside.stream().anyMatch(one -> one.test(source ? probe.src() : probe.dst()));
    } else if (left.path("meta").path("key").asText().startsWith("oif")) {
      holds = probe -> texts(right).stream().anyMatch(probe::leavesBy);
    } else if (left.path("meta").path("key").asText().equals("l4proto")) {
      holds = _ -> texts(right).contains("tcp");
    } else if (left.path("meta").path("key").asText().equals("nfproto")) {
      holds = probe -> texts(right).contains(Addresses.isIpv6(probe.src()) ? "ipv6" : "ipv4");
    } else if (isMark(left)) {
      holds = _ -> right.isInt() && right.asInt() == 0;
    } else if (left.path("ct").path("key").asText().equals("state")) {
      holds = _ -> texts(right).contains("new");
    } else if (left.has("fib")) {
      holds = _ -> texts(right).contains("unicast");
    }
    if (holds == null) {
      return _ -> false;
    }
    return not ? holds.negate() : holds;
  }

  /** {@code meta mark}, alone or with a mask. */
  private static boolean isMark(JsonNode left) {
    JsonNode plain = left.has("&") ? left.path("&").path(0) : left;
    return plain.path("meta").path("key").asText().equals("mark")
        || plain.path("ct").path("key").asText().equals("mark");
  }

  private static List<String> texts(JsonNode right) {
    List<String> texts = new ArrayList<>();
    JsonNode several = right.isObject() ? right.path("set") : right;
    if (several.isArray()) {
      several.forEach(one -> texts.add(one.asText()));
    } else {
      texts.add(right.asText());
    }
    return texts;
  }

  private void addresses(
      JsonNode right, String place, List<Predicate<InetAddress>> to, List<Prefix> named) {
    if (right.isTextual() && right.asText().startsWith("@")) {
      JsonNode elements = sets.get(place + right.asText().substring(1));
      if (elements != null) {
        elements.forEach(element -> addresses(element, place, to, named));
      }
    } else if (right.isTextual()) {
      InetAddress single = Addresses.parse(right.asText());
      if (single != null) {
        prefix(Prefix.of(single), to, named);
      }
    } else if (right.has("prefix")) {
      JsonNode prefix = right.path("prefix");
      prefix(
          Prefix.parse(prefix.path("addr").asText() + "/" + prefix.path("len").asInt()), to, named);
    } else if (right.has("range")) {
      InetAddress first = Addresses.parse(right.path("range").path(0).asText());
      InetAddress last = Addresses.parse(right.path("range").path(1).asText());
      if (first != null && last != null) {
        to.add(address -> between(first, address, last));
      }
    } else if (right.has("set")) {
      right.path("set").forEach(element -> addresses(element, place, to, named));
    } else if (right.has("elem")) { // with a time-out or a comment
      addresses(right.path("elem").path("val"), place, to, named);
    }
  }

  private static void prefix(
      @Nullable Prefix prefix, List<Predicate<InetAddress>> to, List<Prefix> named) {
    if (prefix != null) {
      to.add(prefix::contains);
      named.add(prefix);
    }
  }

  private static boolean between(InetAddress first, InetAddress address, InetAddress last) {
    byte[] bytes = address.getAddress();
    return bytes.length == first.getAddress().length
        && Arrays.compareUnsigned(first.getAddress(), bytes) <= 0
        && Arrays.compareUnsigned(bytes, last.getAddress()) <= 0;
  }
}
