package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.admin.AdminClient;
import io.gatun.lab.Node;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A pod that sends from addresses that are not its own comes as far as with the kernel. */
class SourceAddressIT extends OnEchoLab {
  private static final int PORT = 7777;
  private static final List<Integer> FILTERS = List.of(0, 1, 2);

  /** The pod's own, another pod's of the node, and one to which no route leads. */
  private static final List<String> SOURCES = List.of("10.244.0.10", "10.244.0.11", "203.0.113.9");

  private static final String RECEIVE =
      """
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      s.bind(('', %d))
      while True:
          data, peer = s.recvfrom(100)
          print(data.decode(), peer[0], flush=True)
      """
          .formatted(PORT);

  private static final String SEND =
      """
      import socket, sys
      for source in sys.argv[3:]:
          s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
          s.bind((source, 0))
          s.sendto(sys.argv[2].encode(), (sys.argv[1], %d))
      """
          .formatted(PORT);

  private int round;

  @Test
  void shouldBelieveASourceWhereTheKernelWould() throws Exception {
    Node node = lab.topology().nodeA();
    for (String source : SOURCES.subList(1, SOURCES.size())) {
      lab.client().node().exec("ip", "address", "add", source + "/32", "dev", "lo").orThrow();
    }
    lab.server().node().spawn("sources", "python3", "-c", RECEIVE);
    TimeUnit.MILLISECONDS.sleep(500);
    node.sysctl("net.ipv4.ip_forward", "1");
    Map<Integer, Set<String>> kernels = new HashMap<>();
    for (int filter : FILTERS) {
      filter(node, filter);
      kernels.put(filter, arrive());
    }
    assertEquals(Set.copyOf(SOURCES), kernels.get(0));
    assertEquals(Set.of(SOURCES.getFirst()), kernels.get(1));
    node.sysctl("net.ipv4.ip_forward", "0");
    filter(node, 1);
    GatunProcess gatun = lab.gatun("");
    assertEquals(kernels.get(1), arrive(), "as it was at the start");
    for (int filter : FILTERS) {
      filter(node, filter);
      Set<String> ours = arrive();
      for (int i = 0; i < 20 && !ours.equals(kernels.get(filter)); i++) {
        ours = arrive(); // a change is live within 100 ms, on a machine that has the time
      }
      assertEquals(kernels.get(filter), ours, "rp_filter " + filter);
    }
    assertTrue(dropped(gatun) > 0, "counted");
    AdminClient.ask(gatun.runDirectory().socket(), "stop");
  }

  private void filter(Node node, int value) throws IOException {
    String device = lab.client().device();
    node.sysctl("net.ipv4.conf." + device + ".rp_filter", Integer.toString(value));
  }

  /** Sends from each address; those whose datagrams arrive. */
  private Set<String> arrive() throws Exception {
    String word = "round-" + round++;
    String[] words = {"python3", "-c", SEND, lab.server().address(), word};
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(SOURCES);
    lab.client().node().exec(all.toArray(String[]::new)).orThrow();
    TimeUnit.MILLISECONDS.sleep(300);
    Set<String> sources = new TreeSet<>();
    String log = Files.readString(lab.server().node().runDirectory().resolve("sources.log"));
    log.lines()
        .filter(line -> line.startsWith(word + " "))
        .forEach(line -> sources.add(line.substring(word.length() + 1)));
    return sources;
  }

  private static long dropped(GatunProcess gatun) throws IOException {
    for (JsonNode row : AdminClient.ask(gatun.runDirectory().socket(), "drops")) {
      if (row.path("reason").asText().equals("reverse_path")) {
        return row.path("packets").asLong();
      }
    }
    return 0;
  }
}
