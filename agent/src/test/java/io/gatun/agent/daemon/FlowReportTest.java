package io.gatun.agent.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.flow.FlowHash;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.NewFlow;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import io.gatun.service.ServiceTable;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlowReportTest {
  private final Qsbr qsbr = new Qsbr(1);
  private final FlowTable flows = new FlowTable(100, FlowTimeouts.defaults(), qsbr);
  private final ServiceTable services = new ServiceTable(flows, qsbr);
  private final FlowReport report = new FlowReport(flows, services);

  /** Three of the Service by UDP, from two clients; one of nobody's by TCP. */
  @BeforeEach
  void flows() {
    services.apply(
        List.of(
            new FrontSpec(
                "default/dns:udp",
                FrontKind.CLUSTER_IP,
                InetAddress.ofLiteral("10.96.0.10"),
                17,
                53,
                List.of(new InetSocketAddress(InetAddress.ofLiteral("10.2.0.3"), 5353)),
                false,
                false)),
        List.of());
    int number = services.services().getFirst().number();
    flow(17, 0x0a010002, 4000, number);
    flow(17, 0x0a010002, 4001, number);
    flow(17, 0x0a010003, 4000, number);
    flow(6, 0x0a010004, 4000, 0);
  }

  private void flow(int protocol, int client, int port, int service) {
    NewFlow f = new NewFlow();
    f.protocol = protocol;
    f.sourceLow = client;
    f.destinationLow = 0x0a60000a;
    f.ports = port << 16 | 53;
    f.newSourceLow = client;
    f.newDestinationLow = 0x0a020003;
    f.newPorts = port << 16 | 5353;
    f.service = service;
    f.hash = FlowHash.of(client, 0x0a60000a, f.ports, protocol);
    assertTrue(flows.insert(f, 1) > 0);
  }

  @AfterEach
  void close() {
    services.close();
    flows.close();
  }

  private JsonNode ask(String question) {
    return new ObjectMapper().valueToTree(report.answer(question.replace('\'', '"'), 1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | 4",
        "{'protocol': 'udp'} | 3",
        "{'protocol': 'TCP'} | 1",
        "{'service': 'default/dns:udp'} | 3",
        "{'service': 'default/dns'} | 3",
        "{'service': 'dns'} | 3",
        "{'service': 'other'} | 0",
        "{'state': 'syn-sent'} | 1",
        "{'state': 'established'} | 0",
        "{'address': '10.1.0.2'} | 2",
        "{'address': '10.2.0.3'} | 4",
        "{'address': 'fd00::1'} | 0",
        "{'address': '10.1.0.2', 'limit': 1} | 1"
      })
  void shouldChoose(String question, int rows) {
    assertEquals(rows, ask(question).size(), question);
  }

  @Test
  void shouldSayWhatAFlowIs() {
    JsonNode row = ask("{'address': '10.1.0.3'}").get(0);
    assertEquals("UDP", row.get("protocol").asText());
    assertEquals("10.1.0.3:4000", row.get("client").asText());
    assertEquals("10.96.0.10:53", row.get("front").asText());
    assertEquals("10.2.0.3:5353", row.get("endpoint").asText());
    assertEquals("default/dns:udp", row.get("service").asText());
    assertEquals("udp_new", row.get("state").asText());
  }

  @Test
  void shouldCount() {
    JsonNode summary = ask("{'summary': true}");
    assertEquals(4, summary.get("flows").asInt());
    assertEquals(3, summary.get("byState").get("udp_new").asInt());
    assertEquals(3, summary.get("byService").get("default/dns:udp").asInt());
    assertEquals(1, summary.get("byService").get("(none)").asInt());
    assertEquals("10.1.0.2", summary.get("topClients").fieldNames().next());
    assertEquals(4, summary.get("topEndpoints").get("10.2.0.3:5353").asInt());
    assertEquals(1, ask("{'summary': true, 'protocol': 'TCP'}").get("flows").asInt());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'state': 'dead'} | state: got dead, expected one of [syn_sent",
        "{'protocol': 'x'} | protocol: got x, expected TCP",
        "{'adress': 'x'} | got adress, expected one of [address",
        "{'address': 'x'} | x",
        "{ | end-of-input"
      })
  void shouldNameTheMistake(String question, String expected) {
    String error = ask(question).path("error").asText();
    assertTrue(error.startsWith("flows: ") && error.contains(expected), error);
  }
}
