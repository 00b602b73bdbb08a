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

  /** Those of this network namespace, by whatever is installed. */
  static Chains read() {
    Set<String> tables = new TreeSet<>();
    Set<String> chains = new TreeSet<>();
    boolean seen = false;
    for (String what : new String[] {"tables", "chains"}) {
      String text = Program.output("nft", "-j", "list", what);
      if (text != null) {
        seen = true;
        nft(text, tables, chains);
      }
    }
    for (String save :
        new String[] {
          "iptables-save", "ip6tables-save", "iptables-legacy-save", "ip6tables-legacy-save",
        }) {
      String text = Program.output(save);
      if (text != null) {
        seen = true;
        iptables(text, chains);
      }
    }
    return new Chains(tables, chains, seen);
  }

  /** As {@code nft -j list tables} and {@code nft -j list chains} print it. */
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
