package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A daemon that hung and goes on: what the kernel has forwarded meanwhile is not sent again. */
class HangIT {
  private static final Duration READY = Duration.ofSeconds(60);
  private static final long HOLD_MILLIS = 500;
  private static final long HANG_MILLIS = 1500;

  /** Numbers them, one a millisecond. */
  private static final String SENDER =
      """
      import socket, sys, time
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      for i in range(4000):
          s.sendto(i.to_bytes(4, 'big'), (sys.argv[1], 9999))
          time.sleep(.001)
      """;

  /** After a second of silence: how many came, and how many of them for the second time. */
  private static final String RECEIVER =
      """
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
      s.bind(('', 9999))
      print('bound', flush=True)
      seen, again = set(), 0
      try:
          while True:
              number = s.recv(100)
              s.settimeout(3)
              again += number in seen
              seen.add(number)
      except TimeoutError:
          print(len(seen), again, flush=True)
      """;

  private TwoNodes topology;

  @BeforeAll
  static void machine() {
    Machine.fit("python3", "nft");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    topology = TwoNodes.up(runDirectory, "hang");
  }

  @AfterEach
  void down() throws IOException {
    topology.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"packet", "xdp"})
  void shouldDeliverNothingTwice(String driver) throws Exception {
    Node node = topology.nodeA();
    node.sysctl("net.ipv4.ip_forward", "1");
    Path config = Cluster.writeConfiguration(topology, node, driver);
    Files.writeString(
        config, "onFailure: {hold: " + HOLD_MILLIS + "ms}\n", StandardOpenOption.APPEND);
    Pod receiving = topology.pod("web-1");
    Process receiver = receiving.node().spawn("receiver", "python3", "-c", RECEIVER);
    Path log = receiving.node().runDirectory().resolve("receiver.log");
    GatunProcess gatun = GatunProcess.start(node, config, Cluster.writeManifests(topology));
    gatun.awaitReady(READY);
    Pod sending = topology.pod("client-a");
    String to = receiving.address();
    Process sender = sending.node().spawn("sender", "python3", "-c", SENDER, to);
    TimeUnit.MILLISECONDS.sleep(1000);
    signal(gatun, "STOP");
    TimeUnit.MILLISECONDS.sleep(HANG_MILLIS);
    signal(gatun, "CONT");
    assertTrue(sender.waitFor(60, TimeUnit.SECONDS));
    assertTrue(receiver.waitFor(60, TimeUnit.SECONDS));
    gatun.stop();
    String said = Files.readString(log).lines().toList().getLast();
    System.out.println(driver + ": datagrams that came, and those that came twice: " + said);
    String[] numbers = said.split(" ", -1);
    assertEquals("0", numbers[1], said);
    assertTrue(Integer.parseInt(numbers[0]) > 1500, said);
  }

  private static void signal(GatunProcess gatun, String signal) throws IOException {
    Command.of("kill", "-" + signal, Long.toString(gatun.process().pid())).run().orThrow();
  }
}
