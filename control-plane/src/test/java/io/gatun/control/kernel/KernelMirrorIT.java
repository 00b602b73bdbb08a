package io.gatun.control.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.ffm.Libc;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.fib.SourceChecks.Check;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The mirror against a real kernel: two namespaces, a veth between them, and {@code ip}. */
class KernelMirrorIT {
  private static final String NODE = "gatun-control-" + ProcessHandle.current().pid();
  private static final String PEER = NODE + "-peer";
  private static final Adjacency HOST = new Adjacency.Blackhole();

  @BeforeEach
  void up() throws Exception {
    Assumptions.assumeTrue(
        System.getProperty("user.name").equals("root"), "needs root for network namespaces");
    ip("netns add " + NODE);
    ip("netns add " + PEER);
    ip(
        "-n "
            + NODE
            + " link add up0 address 02:00:00:00:00:01 type veth peer name up1"
            + " address 02:00:00:00:00:02 netns "
            + PEER);
    ip("-n " + NODE + " addr add 192.0.2.1/24 dev up0");
    ip("-n " + NODE + " addr add fd00::1/64 dev up0 nodad");
    ip("-n " + PEER + " addr add 192.0.2.2/24 dev up1");
    ip("-n " + PEER + " link set up1 up");
    ip("-n " + NODE + " link set up0 up mtu 1450");
    ip("-n " + NODE + " route add 10.1.0.5/32 dev up0");
    ip("-n " + NODE + " route add 10.2.0.0/16 via 192.0.2.2");
    ip("-n " + NODE + " route add blackhole 10.3.0.0/16");
    ip("-n " + NODE + " route add unreachable 10.4.0.0/16");
    ip("-n " + NODE + " route add prohibit 10.6.0.0/16");
    ip("-n " + NODE + " route add 10.7.0.0/16 via 192.0.2.2 table 100");
    ip("-n " + NODE + " route add 10.5.0.0/16 nexthop via 192.0.2.2 nexthop via 192.0.2.3");
    ip("-n " + NODE + " neigh add 192.0.2.3 lladdr 02:00:00:00:00:03 dev up0 nud permanent");
    ip("-n " + NODE + " neigh add fd00::2 lladdr 02:00:00:00:00:04 dev up0 nud permanent");
    ip("-n " + NODE + " -6 route add fd01::/64 via fd00::2");
  }

  @AfterEach
  void down() throws Exception {
    for (String namespace : List.of(NODE, PEER)) {
      new ProcessBuilder("ip", "netns", "del", namespace)
          .redirectErrorStream(true)
          .start()
          .waitFor(10, TimeUnit.SECONDS);
    }
  }

  private static String ip(String arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(arguments.split(" ", -1)));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + ": " + output);
    }
    return output;
  }

  /** Runs {@code work} on a thread of its own that has moved into the node's namespace. */
  private static <T> T inNode(Supplier<T> work) throws Exception {
    FutureTask<T> task =
        new FutureTask<>(() -> {
          int fd = Libc.open("/var/run/netns/" + NODE, Libc.O_RDONLY);
          assertTrue(fd >= 0);
          assertEquals(0, Libc.setns(fd, Libc.CLONE_NEWNET));
          Libc.close(fd);
          return work.get();
        });
    Thread.ofPlatform().start(task);
    return task.get(10, TimeUnit.SECONDS);
  }

  private static InetAddress address(String literal) {
    return Objects.requireNonNull(Addresses.parse(literal));
  }

  private static @Nullable Adjacency to(Fib fib, String literal) {
    int number = fib.lookup(address(literal));
    return number == 0 ? null : fib.adjacencies().get(number);
  }

  private static Adjacency forward(long destination) {
    return new Adjacency.Forward(1, 0x020000000001L, destination, 1450);
  }

  /** Runs the mirror until {@code literal} leads where it should; the milliseconds it took. */
  private static long await(
      KernelMirror mirror, Fib fib, String literal, @Nullable Adjacency wanted) {
    long start = System.nanoTime();
    while (!Objects.equals(wanted, to(fib, literal))
        && System.nanoTime() - start < TimeUnit.SECONDS.toNanos(5)) {
      mirror.doWork(System.nanoTime());
      LockSupport.parkNanos(1_000_000);
    }
    assertEquals(wanted, to(fib, literal));
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
  }

  @Test
  void shouldFollowTheKernel() throws Exception {
    int ifIndex = inNode(() -> Libc.ifNameToIndex("up0"));
    TakenPort port = new TakenPort(1, "up0", ifIndex, new MacAddress(0x020000000001L), 1500);
    try (Fib fib = new Fib(1024, Runnable::run);
        KernelSource source = inNode(RtnetlinkSource::new);
        KernelMirror mirror =
            new KernelMirror(source, fib, null, HOST, List.of(port), List.of(), List.of())) {
      mirror.doWork(System.nanoTime());
      assertEquals(HOST, to(fib, "192.0.2.1"));
      assertEquals(HOST, to(fib, "fd00::1"));
      assertTrue(mirror.localAddresses().contains(address("192.0.2.1")));
      assertEquals(new Adjacency.Blackhole(), to(fib, "10.3.0.1"));
      assertEquals(new Adjacency.Unreachable(), to(fib, "10.4.0.1"));
      assertEquals(new Adjacency.Prohibited(), to(fib, "10.6.0.1"));
      assertNull(to(fib, "10.7.0.1")); // another table's
      assertEquals(forward(0x020000000003L), to(fib, "192.0.2.3"));
      assertEquals(forward(0x020000000004L), to(fib, "fd01::7"));
      assertEquals(new Adjacency.Unresolved(1, 0x020000000001L, 1450), to(fib, "10.1.0.5"));
      assertTrue(to(fib, "10.5.0.1") instanceof Adjacency.Group);
      assertNull(to(fib, "203.0.113.1"));

      // The gateway's MAC was not known: the mirror asked, the peer answers.
      await(mirror, fib, "10.2.0.1", forward(0x020000000002L));

      ip("-n " + NODE + " neigh replace 10.1.0.5 lladdr 02:00:00:00:00:05 dev up0 nud permanent");
      long milliseconds = await(mirror, fib, "10.1.0.5", forward(0x020000000005L));
      assertTrue(milliseconds < 500, milliseconds + " ms");
      ip("-n " + NODE + " route del 10.1.0.5/32 dev up0");
      await(mirror, fib, "10.1.0.5", null);
      ip("-n " + NODE + " route add default via 192.0.2.3");
      await(mirror, fib, "8.8.8.8", forward(0x020000000003L));
      // No carrier: the kernel goes on using the only way there is.
      ip("-n " + PEER + " link set up1 down");
      Thread.sleep(50);
      await(mirror, fib, "10.2.0.1", forward(0x020000000002L)); // as the kernel has it
      ip("-n " + PEER + " link set up1 up");
      await(mirror, fib, "10.2.0.1", forward(0x020000000002L));
      ip("-n " + NODE + " link set up0 down");
      await(mirror, fib, "10.2.0.1", null);
    }
  }

  private static void filter(String device, int value) throws Exception {
    String setting = "net.ipv4.conf." + device + ".rp_filter=" + value;
    ip("netns exec " + NODE + " sysctl -qw " + setting);
  }

  private static void await(KernelMirror mirror, int device, Check wanted) {
    long start = System.nanoTime();
    while (mirror.sourceCheck(device) != wanted
        && System.nanoTime() - start < TimeUnit.SECONDS.toNanos(5)) {
      mirror.doWork(System.nanoTime());
      LockSupport.parkNanos(1_000_000);
    }
    assertEquals(wanted, mirror.sourceCheck(device));
  }

  @Test
  void shouldFollowTheReversePathFilter() throws Exception {
    filter("all", 0);
    filter("up0", 1);
    int ifIndex = inNode(() -> Libc.ifNameToIndex("up0"));
    try (Fib fib = new Fib(1024, Runnable::run);
        KernelSource source = inNode(RtnetlinkSource::new);
        KernelMirror mirror =
            new KernelMirror(source, fib, null, HOST, List.of(), List.of(), List.of())) {
      mirror.doWork(System.nanoTime());
      assertEquals(Check.STRICT, mirror.sourceCheck(ifIndex), "as it was at the start");
      filter("up0", 0);
      await(mirror, ifIndex, Check.OFF);
      filter("all", 2);
      await(mirror, ifIndex, Check.LOOSE);
      filter("up0", 1);
      filter("all", 0);
      await(mirror, ifIndex, Check.STRICT);
      filter("up0", 2);
      await(mirror, ifIndex, Check.LOOSE);
      ip("-n " + NODE + " addr del 192.0.2.1/24 dev up0");
      await(mirror, ifIndex, Check.STRICT); // the kernel's rule for devices without an address
      ip("-n " + NODE + " link add br0 type bridge");
      ip("-n " + NODE + " link set up0 master br0");
      await(mirror, ifIndex, Check.OFF);
    }
  }

  /** Runs one command a line, however many fail; what they printed. */
  private static String batch(String lines) throws Exception {
    Path file = Files.createTempFile("gatun-batch", ".txt");
    Files.writeString(file, lines);
    Process process =
        new ProcessBuilder("ip", "-n", NODE, "-force", "-batch", file.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    Files.delete(file);
    return output;
  }

  /** Where the kernel sends it: "local", "via dev" with "-" for none; absent where nowhere. */
  private static Map<String, String> kernelsAnswers(List<String> addresses) throws Exception {
    StringBuilder questions = new StringBuilder();
    addresses.forEach(address -> questions.append("route get ").append(address).append('\n'));
    Map<String, String> answers = new HashMap<>();
    for (String line : batch(questions.toString()).split("\n", -1)) {
      List<String> words = List.of(line.strip().split(" +", -1));
      if (words.getFirst().equals("local") || words.getFirst().equals("broadcast")) {
        answers.put(words.get(1), "local");
      } else if (words.contains("dev")) {
        int via = words.indexOf("via");
        answers.put(
            words.getFirst(),
            (via < 0 ? "-" : words.get(via + 1)) + " " + words.get(words.indexOf("dev") + 1));
      }
    }
    return answers;
  }

  private static List<String> ourAnswers(KernelMirror mirror, String address) {
    RouteView route = mirror.route(address(address));
    if (route == null) {
      return List.of();
    }
    return switch (route.kind()) {
      case LOCAL -> List.of("local");
      case BLACKHOLE, UNREACHABLE, PROHIBITED -> List.of();
      case FORWARD, KERNEL ->
          route.ways().stream()
              .map(way -> {
                InetAddress via = way.via();
                return (via == null ? "-" : via.getHostAddress()) + " " + way.dev();
              })
              .toList();
    };
  }

  @Test
  void shouldLeadTenThousandAddressesWhereIpRouteGetSays() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    StringBuilder routes = new StringBuilder();
    for (int i = 0; i < 3000; i++) {
      int length = 9 + random.nextInt(24);
      Prefix prefix =
          new Prefix(
              address("10." + octet(random) + "." + octet(random) + "." + octet(random)), length);
      String way =
          switch (random.nextInt(8)) {
            case 0 -> "dev up0";
            case 1 ->
                "nexthop via 192.0.2.%d weight 2 nexthop via 192.0.2.%d"
                    .formatted(2 + random.nextInt(9), 20 + random.nextInt(9));
            default -> "via 192.0.2." + (2 + random.nextInt(30));
          };
      String type = random.nextInt(16) == 0 ? "blackhole" : "";
      routes.append(
          "route add %s %s metric %d %s\n"
              .formatted(type, prefix, random.nextInt(3), type.isEmpty() ? way : ""));
    }
    batch(routes.toString());
    int ifIndex = inNode(() -> Libc.ifNameToIndex("up0"));
    TakenPort port = new TakenPort(1, "up0", ifIndex, new MacAddress(0x020000000001L), 1500);
    try (Fib fib = new Fib(4096, Runnable::run);
        KernelSource source = inNode(RtnetlinkSource::new);
        KernelMirror mirror =
            new KernelMirror(source, fib, null, HOST, List.of(port), List.of(), List.of())) {
      mirror.doWork(System.nanoTime());
      batch("route del 10.2.0.0/16\nroute add 10.2.0.0/15 via 192.0.2.9\n"); // also by messages
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
      while (System.nanoTime() < until) {
        mirror.doWork(System.nanoTime());
        LockSupport.parkNanos(1_000_000);
      }
      List<String> asked = new ArrayList<>(List.of("192.0.2.1", "192.0.2.255", "192.0.2.7"));
      for (int i = 0; i < 10_000; i++) {
        asked.add("10." + octet(random) + "." + octet(random) + "." + octet(random));
      }
      Map<String, String> kernels = kernelsAnswers(asked);
      int forwarded = 0;
      for (String address : asked) {
        String kernel = kernels.get(address);
        List<String> ours = ourAnswers(mirror, address);
        assertTrue(
            kernel == null ? ours.isEmpty() : ours.contains(kernel),
            "seed " + seed + " " + address + ": kernel " + kernel + ", we " + ours);
        forwarded += ours.isEmpty() ? 0 : 1;
      }
      assertTrue(forwarded > 5000, "only " + forwarded + " lead anywhere");
    }
  }

  private static int octet(Random random) {
    return random.nextInt(256);
  }
}
