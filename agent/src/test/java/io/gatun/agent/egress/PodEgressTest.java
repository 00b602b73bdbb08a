package io.gatun.agent.egress;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.agent.egress.NatChains.Family;
import io.gatun.service.ClientRules.Egress;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** semantics.md, 4: pod egress; interface.md: "auto: as the kernel's rules on this node do it". */
class PodEgressTest {
  private static final List<String> PODS = List.of("10.244.0.0/16", "fd00:244::/56");
  private static final Set<String> UPLINKS = Set.of("eth0");

  private static Egress iptables(String rules, Family family) {
    String text =
        "*filter\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n*nat\n:POSTROUTING ACCEPT [0:0]\n"
            + rules.lines().map(rule -> "-A " + rule).collect(Collectors.joining("\n"))
            + "\nCOMMIT\n";
    return PodEgress.of(List.of(IptablesRules.read(text, family)), PODS, UPLINKS);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // flannel --ip-masq
        "true  | POSTROUTING -m comment --comment \"flanneld masq\" -j FL;FL -m mark --mark 0x4000/0x4000 -j RETURN;FL -s 10.244.0.0/24 -d 10.244.0.0/16 -j RETURN;FL -s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment \"flanneld masq\" -j MASQUERADE --random-fully",
        // Calico's natOutgoing
        "true  | POSTROUTING -j cali-POSTROUTING;cali-POSTROUTING -j cali-nat;cali-nat -m comment --comment \"cali:x\" -m set --match-set cali40masq-ipam-pools src -m set ! --match-set cali40all-ipam-pools dst -j MASQUERADE --random-fully",
        // CNI plugins bridge and ptp with ipMasq: a chain for each pod
        "true  | POSTROUTING -s 10.244.0.5/32 -m comment --comment \"name: \\\"n\\\" id: \\\"i\\\"\" -j CNI-1;CNI-1 -d 10.244.0.0/24 -j ACCEPT;CNI-1 ! -d 224.0.0.0/4 -j MASQUERADE",
        // ip-masq-agent
        "true  | POSTROUTING -m addrtype ! --dst-type LOCAL -j IP-MASQ;IP-MASQ -d 10.0.0.0/8 -j RETURN;IP-MASQ -d 192.0.2.0/24 -j RETURN;IP-MASQ -j MASQUERADE",
        // kube-proxy's own is for marked packets only
        "false | POSTROUTING -j KUBE-POSTROUTING;KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN;KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0;KUBE-POSTROUTING -j MASQUERADE --random-fully",
        // docker's
        "false | POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
        "true  | POSTROUTING -o eth0 -j MASQUERADE",
        "true  | POSTROUTING -o eth+ -j SNAT --to-source 192.0.2.1",
        "false | POSTROUTING -o tun0 -j MASQUERADE",
        "false | POSTROUTING -s 10.244.0.0/16 -d 10.0.0.0/8 -j MASQUERADE",
        "false | POSTROUTING -s 10.244.0.0/16 -p tcp -m tcp --dport 25 -j MASQUERADE",
        "false | POSTROUTING -s 10.244.0.0/16 -m nobodyknows --x 1 -j MASQUERADE",
        "false | POSTROUTING -s 10.244.0.0/16 -j ACCEPT;POSTROUTING -j MASQUERADE",
        "false | PREROUTING -j MASQUERADE",
        "false | POSTROUTING -j A;A -j A",
        "true  | POSTROUTING -s 10.244.0.0/16 -g A;A -j MASQUERADE",
        "false | POSTROUTING -s 10.244.0.0/16 -g A;POSTROUTING -j MASQUERADE",
      })
  void shouldReadIptables(boolean masquerades, String rules) {
    assertEquals(new Egress(masquerades, false), iptables(rules.replace(';', '\n'), Family.IPV4));
  }

  @ParameterizedTest
  @CsvSource({
    "POSTROUTING -s fd00:244::/56 -j MASQUERADE, true",
    "POSTROUTING -j MASQUERADE, true",
    "POSTROUTING -s fd00:245::/56 -j MASQUERADE, false",
  })
  void shouldTellTheFamilies(String rules, boolean masquerades) {
    assertEquals(new Egress(false, masquerades), iptables(rules, Family.IPV6));
  }

  private static final String SADDR =
      saddr("==", "{\"prefix\": {\"addr\": \"10.244.0.0\", \"len\": 16}}");
  private static final String MASQUERADE = "{\"masquerade\": {\"flags\": \"fully-random\"}}";

  private static String saddr(String op, String right) {
    return "{\"match\": {\"op\": \""
        + op
        + "\", \"left\": {\"payload\": {\"protocol\": \"ip\", \"field\":"
        + " \"saddr\"}}, \"right\": "
        + right
        + "}}";
  }

  private static String match(String op, String left, String right) {
    return "{\"match\": {\"op\": \""
        + op
        + "\", \"left\": "
        + left
        + ", \"right\": "
        + right
        + "}}";
  }

  private static boolean nft(String family, String... expressions) {
    String text =
        """
        {"nftables": [{"metainfo": {}}, {"table": {"family": "F", "name": "t"}},
         {"set": {"family": "F", "table": "t", "name": "pods", "elem":
           ["10.9.0.1", {"prefix": {"addr": "10.244.0.0", "len": 16}}]}},
         {"chain": {"family": "F", "table": "t", "name": "p", "type": "nat", "hook": "postrouting"}},
         {"chain": {"family": "F", "table": "t", "name": "f", "type": "filter", "hook": "postrouting"}},
         {"chain": {"family": "F", "table": "t", "name": "q"}},
         {"rule": {"family": "F", "table": "t", "chain": "f", "expr": [{"accept": null}]}},
         {"rule": {"family": "F", "table": "t", "chain": "q", "expr": [{"return": null}]}},
         {"rule": {"family": "F", "table": "t", "chain": "p", "expr": [{"jump": {"target": "q"}}]}},
         {"rule": {"family": "F", "table": "t", "chain": "p", "expr": [EXPR]}}]}
        """
            .replace("\"F\"", "\"" + family + "\"")
            .replace("EXPR", String.join(", ", expressions));
    return PodEgress.of(List.of(NftRules.read(text)), PODS, UPLINKS).ipv4();
  }

  @Test
  void shouldReadNftables() {
    String counter = "{\"counter\": {\"packets\": 0, \"bytes\": 0}}";
    String mark = "{\"&\": [{\"meta\": {\"key\": \"mark\"}}, 16384]}";
    assertEquals(true, nft("ip", SADDR, counter, MASQUERADE), "flannel");
    assertEquals(true, nft("inet", SADDR, MASQUERADE));
    assertEquals(false, nft("ip6", SADDR, MASQUERADE));
    assertEquals(true, nft("ip", saddr("==", "\"@pods\""), MASQUERADE));
    assertEquals(false, nft("ip", saddr("!=", "\"@pods\""), MASQUERADE));
    assertEquals(false, nft("ip", saddr("==", "\"@nobody\""), MASQUERADE));
    assertEquals(
        true,
        nft(
            "ip",
            saddr("==", "{\"set\": [{\"range\": [\"10.0.0.1\", \"10.255.0.1\"]}]}"),
            MASQUERADE));
    assertEquals(
        true,
        nft(
            "ip",
            SADDR,
            match("!=", "{\"fib\": {\"result\": \"type\", \"flags\": [\"daddr\"]}}", "\"local\""),
            match("!=", "{\"meta\": {\"key\": \"oifname\"}}", "\"cni0\""),
            match("in", "{\"ct\": {\"key\": \"state\"}}", "\"new\""),
            "{\"snat\": {\"addr\": \"192.0.2.1\"}}"));
    assertEquals(false, nft("ip", SADDR, match("==", mark, "16384"), MASQUERADE), "kube-proxy");
    assertEquals(true, nft("ip", SADDR, match("!=", mark, "16384"), MASQUERADE));
    assertEquals(
        true,
        nft(
            "ip",
            SADDR,
            "{\"xt\": {\"type\": \"match\", \"name\": \"comment\"}}",
            "{\"xt\": {\"type\": \"target\", \"name\": \"MASQUERADE\"}}"),
        "iptables-nft");
    assertEquals(
        false, nft("ip", "{\"xt\": {\"type\": \"match\", \"name\": \"set\"}}", MASQUERADE));
    assertEquals(
        false,
        nft(
            "ip",
            match("==", "{\"payload\": {\"protocol\": \"tcp\", \"field\": \"dport\"}}", "80"),
            MASQUERADE));
  }
}
