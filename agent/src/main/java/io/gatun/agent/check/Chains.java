package io.gatun.agent.check;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Set;
import java.util.TreeSet;

/**
 * The names of the firewall's tables and chains, of nftables and of both kinds of iptables.
 * Immutable.
 *
 * @param seen whether there was a program to read them with
 */
record Chains(Set<String> tables, Set<String> chains, boolean seen) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Those of {@code firewall}. */
  static Chains of(Firewall firewall) {
    Set<String> tables = new TreeSet<>();
    Set<String> chains = new TreeSet<>();
    String nft = firewall.nft();
    if (nft != null) {
      nft(nft, tables, chains);
    }
    firewall.iptables().forEach(saved -> iptables(saved.text(), chains));
    return new Chains(tables, chains, firewall.seen());
  }

  /** As {@code nft -j list ruleset} prints it. */
  static void nft(String text, Set<String> tables, Set<String> chains) {
    try {
      for (JsonNode object : JSON.readTree(text).path("nftables")) {
        if (object.has("table")) {
          tables.add(object.path("table").path("name").asText());
        } else if (object.has("chain")) {
          tables.add(object.path("chain").path("table").asText());
          chains.add(object.path("chain").path("name").asText());
        }
      }
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("nft -j printed what is no JSON", e);
    }
  }

  /** As {@code iptables-save} prints it: {@code :CHAIN POLICY [packets:bytes]}. */
  static void iptables(String text, Set<String> chains) {
    text.lines()
        .filter(line -> line.startsWith(":"))
        .forEach(line -> chains.add(line.substring(1).split(" ", 2)[0]));
  }
}
