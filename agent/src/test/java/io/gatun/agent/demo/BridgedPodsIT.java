package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Pods on a bridge, by unmodified CNI plugins, with real traffic. For the long runs: {@code
 * -Dgatun.test.seconds=30 -Dgatun.test.pods=50}.
 */
class BridgedPodsIT {
  private static final int SECONDS = Integer.getInteger("gatun.test.seconds", 8);
  private static final int COMING = Integer.getInteger("gatun.test.pods", 6);
  private static final Duration PATIENCE = Duration.ofSeconds(60L + SECONDS);
  private static final String PORT = Integer.toString(BridgeLab.PORT);

  private BridgeLab lab;
  private String second;
  private String firstDevice;
  private String secondDevice;

  @BeforeAll
  static void machine() {
    Machine.fit("ping", "python3", "ss", "bridge");
    Assumptions.assumeTrue(
        BridgeLab.hasPlugins(), "skipped: containernetworking-plugins is not installed");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws Exception {
    lab = BridgeLab.up(runDirectory, "bridged", 3 + COMING);
    JsonNode added = lab.cni("ADD", 0, "");
    firstDevice = BridgeLab.device(added);
    added = lab.cni("ADD", 1, "");
    second = BridgeLab.address(added);
    secondDevice = BridgeLab.device(added);
    lab.service(second);
    lab.serve(1);
    lab.node()
        .sysctl("net.ipv4.ip_forward", "0"); // the plugin sets it: nobody is to forward but us
  }

  @AfterEach
  void down() throws IOException {
    lab.close();
  }

  private static long sent(GatunProcess gatun) throws IOException {
    return BridgeLab.ask(gatun, "status").get("framesOut").asLong();
  }

  /**
   * {@code auto} is {@code packet} here. By driver xdp the stub leaves to the bridge what we do not
   * switch, and hands on no copy.
   */
  @ParameterizedTest
  @ValueSource(strings = {"auto", "xdp"})
  void shouldSwitchBetweenPodsAndRouteToServices(String driver) throws Exception {
    GatunProcess gatun = lab.gatun(driver);
    String once = lab.ping(0, second, 1, "1");
    assertTrue(once.contains("1 received") && !once.contains("DUP"), once + gatun.log());
    long before = sent(gatun);
    String pings = lab.ping(0, second, 20, "0.05");
    assertTrue(pings.contains("20 received"), pings);
    assertEquals(20, pings.split("ttl=64", -1).length - 1, "the TTL stays: " + pings);
    assertTrue(sent(gatun) - before >= 40, "by us, there and back");
    // The endpoint answers its client directly, and the client knows the front only.
    assertEquals("0", lab.run(0, PATIENCE, "connect", BridgeLab.FRONT, PORT, "3").split(" ")[1]);
    assertTrue(lab.ping(0, "10.88.0.1", 3, "0.2").contains("3 received"), "the node itself");
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "xdp"})
  void shouldKeepTheBridgesEntriesWhileTheyAreInUse(String driver) throws Exception {
    GatunProcess gatun = lab.gatun(driver);
    lab.ip("link set cni0 type bridge ageing_time 300"); // hundredths: 3 s
    long before = sent(gatun);
    var through =
        new FutureTask<>(
            () -> lab.run(0, PATIENCE, "talk", BridgeLab.FRONT, PORT, Integer.toString(SECONDS)));
    Thread.ofPlatform().start(through);
    String[] talked =
        lab.run(0, PATIENCE, "talk", second, PORT, Integer.toString(SECONDS)).split(" ");
    String[] serviced = through.get(2, TimeUnit.MINUTES).split(" ");
    System.out.printf(
        "%s, %d s at an ageing time of 3 s: %s exchanges, %s segments sent again; by the Service %s, %s%n",
        driver, SECONDS, talked[0], talked[1], serviced[0], serviced[1]);
    assertEquals("0", talked[1]);
    assertEquals("0", serviced[1]);
    assertTrue(
        sent(gatun) - before > 2 * (Long.parseLong(talked[0]) + Long.parseLong(serviced[0])));
    String table = lab.node().exec("bridge", "fdb", "show", "br", "cni0", "dynamic").output();
    assertTrue(table.contains(firstDevice) && table.contains(secondDevice), table);
    // The node's neighbours it does not forget while they are silent.
    Thread.sleep(4000);
    assertEquals("0", lab.run(0, PATIENCE, "connect", BridgeLab.FRONT, PORT, "1").split(" ")[1]);
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "xdp"})
  void shouldObeyIsolation(String driver) throws Exception {
    GatunProcess gatun = lab.gatun(driver);
    String third = lab.attach(2);
    assertTrue(answered(0, second), gatun.log());
    lab.bridge("link set dev " + firstDevice + " isolated on");
    lab.bridge("link set dev " + secondDevice + " isolated on");
    settle();
    assertFalse(answered(0, second), "both are isolated");
    assertTrue(answered(0, third), "the third is not");
    assertTrue(answered(0, "10.88.0.1"), "nor is the bridge");
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "xdp"})
  void shouldObeyVlans(String driver) throws Exception {
    GatunProcess gatun = lab.gatun(driver);
    Assumptions.assumeTrue(
        lab.node()
            .exec("ip", "link", "set", "cni0", "type", "bridge", "vlan_filtering", "1")
            .succeeded(),
        "skipped: this kernel's bridge has no VLAN filter");
    String third = lab.attach(2);
    settle();
    long before = sent(gatun);
    assertTrue(answered(0, second), "both in VLAN 1");
    assertTrue(sent(gatun) - before >= 2, "switched by us");
    lab.bridge("vlan del vid 1 dev " + secondDevice);
    lab.bridge("vlan add vid 20 pvid untagged dev " + secondDevice);
    settle();
    assertFalse(answered(0, second), "in another VLAN");
    assertTrue(answered(0, third));
    lab.bridge("vlan add vid 20 pvid untagged dev " + firstDevice);
    settle();
    assertTrue(answered(0, second), "both in VLAN 20");
  }

  /** For who has to find out. */
  private static String state(GatunProcess gatun) {
    try {
      return gatun.log() + BridgeLab.ask(gatun, "drops").toPrettyString();
    } catch (IOException e) {
      return e.toString();
    }
  }

  private boolean answered(int pod, String address) throws IOException {
    return lab.ping(pod, address, 2, "0.2").contains("bytes from");
  }

  /** What was set is seen within milliseconds; a busy machine takes longer. */
  private static void settle() throws InterruptedException {
    Thread.sleep(500);
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "xdp"})
  void shouldCarryTrafficWhilePodsComeAndGo(String driver) throws Exception {
    GatunProcess gatun = lab.gatun(driver);
    int seconds = 3 + COMING;
    var pinging = new FutureTask<>(() -> lab.ping(0, second, seconds * 50, "0.02"));
    var connecting =
        new FutureTask<>(() ->
            lab.run(0, PATIENCE, "connect", BridgeLab.FRONT, PORT, Integer.toString(seconds)));
    Thread.ofPlatform().start(pinging);
    Thread.ofPlatform().start(connecting);
    List<String> results = new ArrayList<>();
    long start = System.nanoTime();
    for (int i = 0; i < COMING; i++) {
      results.add(lab.cni("ADD", 3 + i, "").toString());
      lab.cni("CHECK", 3 + i, results.get(i));
      String address = BridgeLab.address(lab.json(results.get(i)));
      String pings = lab.ping(0, address, 5, "0.2");
      assertTrue(pings.contains("bytes from"), pings + gatun.log());
    }
    for (int i = 0; i < COMING; i++) {
      lab.cni("DEL", 3 + i, results.get(i));
    }
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    String pings = pinging.get(3, TimeUnit.MINUTES);
    Matcher counts = Pattern.compile("(\\d+) packets transmitted, (\\d+) received").matcher(pings);
    assertTrue(counts.find(), pings);
    String[] connected = connecting.get(3, TimeUnit.MINUTES).split("\\s");
    System.out.printf(
        "%s: %d pods came and went in %d ms; meanwhile %s of %s pings answered, %s of %s connections"
            + " failed%n",
        driver, COMING, millis, counts.group(2), counts.group(1), connected[1], connected[0]);
    assertEquals(counts.group(1), counts.group(2), () -> pings + state(gatun));
    assertEquals("0", connected[1]);
    for (int i = 0; BridgeLab.ask(gatun, "ports").size() > 3 && i < 100; i++) {
      Thread.sleep(50);
    }
    assertTrue(BridgeLab.ask(gatun, "ports").size() <= 3, gatun.log());
  }
}
