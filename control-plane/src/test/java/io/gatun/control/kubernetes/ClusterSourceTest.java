package io.gatun.control.kubernetes;

import static io.gatun.control.kubernetes.Objects.NODES;
import static io.gatun.control.kubernetes.Objects.SERVICES;
import static io.gatun.control.kubernetes.Objects.SLICES;
import static io.gatun.control.kubernetes.Objects.service;
import static io.gatun.control.kubernetes.Objects.slice;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.control.HeapRoom;
import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.ObjectName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever the API server does, the state converges, and never shows what was not so. */
@Timeout(60)
final class ClusterSourceTest {
  private static final Timing QUICK = new Timing(10, 200, 60, 600, 500);
  private static final ObjectName WEB = new ObjectName("default", "web");

  @TempDir private Path directory;
  private BadApiServer server;
  private final List<ClusterSource> sources = new ArrayList<>();

  @BeforeEach
  void start() throws IOException {
    server = new BadApiServer();
    server.put(SERVICES, "web", service("web", 80));
    server.put(SLICES, "web", slice("web", "10.244.1.5", "10.244.2.5"));
    server.put(
        NODES,
        "node-1",
        "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"node-1\",\"resourceVersion\":\"VERSION\"},\"spec\":{\"podCIDR\":\"10.244.1.0/24\"}}");
  }

  @AfterEach
  void stop() {
    sources.forEach(ClusterSource::close);
    server.close();
  }

  private ClusterSource source() {
    return source(ApiObserver.NONE);
  }

  private ClusterSource source(ApiObserver observer) {
    ClusterSource source =
        new ClusterSource(
            ApiServer.at(server.url(), observer),
            "node-1",
            "",
            new StateFile(directory.resolve("objects.json"), "test"),
            () -> {},
            observer,
            HeapRoom.plenty(),
            QUICK);
    sources.add(source);
    source.start();
    return source;
  }

  private static void await(ClusterSource source, String what, BooleanSupplier holds) {
    long end = System.nanoTime() + 20_000_000_000L;
    while (!holds.getAsBoolean()) {
      source.poll(System.nanoTime());
      assertTrue(System.nanoTime() < end, () -> what + "; " + source.refusal());
      sleep(2);
    }
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Set<String> addresses(ClusterSource source, ObjectName service) {
    Set<String> addresses = new TreeSet<>();
    for (EndpointSlice slice : source.objects().slicesOf(service)) {
      slice.endpoints().forEach(endpoint -> addresses.add(endpoint.address().getHostAddress()));
    }
    return addresses;
  }

  private static void awaitEndpoints(ClusterSource source, String... addresses) {
    await(
        source,
        "endpoints " + Arrays.toString(addresses),
        () ->
            source.objects().services().containsKey(WEB)
                && addresses(source, WEB).equals(Set.of(addresses)));
  }

  @Test
  void shouldFollowListAndWatch() {
    ClusterSource source = source();
    awaitEndpoints(source, "10.244.1.5", "10.244.2.5");
    server.put(SLICES, "web", slice("web", "10.244.2.5"));
    awaitEndpoints(source, "10.244.2.5");
    server.remove(SERVICES, "web");
    await(source, "removal", () -> source.objects().services().isEmpty());
    assertTrue(source.isFollowed());
  }

  @Test
  void shouldAskAsKubeProxyDoes() {
    ClusterSource source = source();
    awaitEndpoints(source, "10.244.1.5", "10.244.2.5");
    await(
        source,
        "watches",
        () -> server.requests().stream().filter(r -> r.contains("watch=true")).count() == 6);
    List<String> requests = server.requests();
    String selector =
        "labelSelector=!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name";
    assertTrue(
        requests.stream().anyMatch(r -> r.startsWith(SERVICES + "?") && r.endsWith(selector)));
    assertTrue(requests.stream().anyMatch(r -> r.startsWith(SLICES + "?") && r.endsWith(selector)));
    assertTrue(
        requests.stream()
            .anyMatch(r ->
                r.startsWith(Objects.PODS) && r.endsWith("fieldSelector=spec.nodeName=node-1")));
    assertTrue(
        requests.stream()
            .filter(r -> r.contains("watch=true"))
            .allMatch(r ->
                r.contains("allowWatchBookmarks=true")
                    && r.matches(".*resourceVersion=[0-9]+.*timeoutSeconds=[0-9]+.*")));
  }

  @Test
  void shouldNotShowServicesBeforeTheirEndpoints() {
    server.harm((exchange, watch) -> exchange.getRequestURI().getPath().equals(SLICES));
    ClusterSource source = source();
    for (int i = 0; i < 100; i++) {
      source.poll(System.nanoTime());
      assertTrue(source.objects().services().isEmpty());
      sleep(2);
    }
    server.harm(null);
    awaitEndpoints(source, "10.244.1.5", "10.244.2.5");
  }

  @Test
  void shouldGoOnWhereItWasWhenConnectionsAreCutInTheMiddleOfAnObject() {
    ClusterSource source = source();
    awaitEndpoints(source, "10.244.1.5", "10.244.2.5");
    for (int i = 0; i < 5; i++) {
      server.cut();
      server.put(SLICES, "web", slice("web", "10.244.9." + i));
      awaitEndpoints(source, "10.244.9." + i);
    }
    assertEquals(
        1,
        server.requests().stream()
            .filter(r -> r.startsWith(SLICES) && !r.contains("watch=true"))
            .count(),
        "listed once, watched anew from the last version");
  }

  @Test
  void shouldListAnewAfter410WithoutFlapping() {
    ClusterSource source = source();
    awaitEndpoints(source, "10.244.1.5", "10.244.2.5");
    server.put(SERVICES, "other", service("other", 81));
    server.put(SERVICES, "gone", service("gone", 82));
    await(source, "others", () -> source.objects().services().size() == 3);
    server.away();
    server.remove(SERVICES, "gone");
    server.put(SLICES, "web", slice("web", "10.244.3.5"));
    server.forget();
    AtomicInteger worst = new AtomicInteger(3);
    backAgain();
    await(
        source,
        "both changes",
        () -> {
          worst.accumulateAndGet(source.objects().services().size(), Math::min);
          return source.objects().services().size() == 2
              && addresses(source, WEB).equals(Set.of("10.244.3.5"));
        });
    assertEquals(2, worst.get(), "never fewer than there are");
    assertTrue(
        server.requests().stream().anyMatch(r -> r.startsWith(SERVICES + "?limit=")),
        "the newest list");
  }

  private void backAgain() {
    try {
      server.back();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void shouldServeWhatIsKnownWhileTheServerIsAway() {
    ClusterSource source = source();
    awaitEndpoints(source, "10.244.1.5", "10.244.2.5");
    server.away();
    for (int i = 0; i < 200; i++) {
      assertFalse(source.poll(System.nanoTime()));
      assertEquals(Set.of("10.244.1.5", "10.244.2.5"), addresses(source, WEB));
      sleep(2);
    }
    await(source, "a complaint", () -> source.refusal() != null);
    server.put(SLICES, "web", slice("web", "10.244.4.5"));
    backAgain();
    awaitEndpoints(source, "10.244.4.5");
    await(source, "no complaint", () -> source.refusal() == null);
  }

  @Test
  void shouldStartFromDiskWhileTheServerIsAway() {
    ClusterSource before = source();
    awaitEndpoints(before, "10.244.1.5", "10.244.2.5");
    sources.remove(before);
    before.close();
    server.away();
    ClusterSource after = source();
    assertTrue(after.poll(System.nanoTime()), "what the disk said is a change");
    assertEquals(Set.of("10.244.1.5", "10.244.2.5"), addresses(after, WEB));
    server.remove(SERVICES, "web");
    server.put(SERVICES, "new", service("new", 90));
    backAgain();
    await(
        after,
        "new instead of web",
        () -> after.objects().services().keySet().equals(Set.of(new ObjectName("default", "new"))));
  }

  @Test
  void shouldWaitAsLongAsItIsToldWhenThereAreTooManyRequests() {
    ClusterSource source = source();
    awaitEndpoints(source, "10.244.1.5", "10.244.2.5");
    server.harm((exchange, watch) -> {
      exchange.getResponseHeaders().set("Retry-After", "1");
      BadApiServer.answer(
          exchange, 429, "{\"kind\":\"Status\",\"message\":\"slow down\",\"code\":429}");
      return true;
    });
    server.cut();
    sleep(300);
    server.requestsClear();
    sleep(600);
    assertTrue(
        server.requests().size() <= 6,
        () -> "no more than once a second each: " + server.requests());
    server.put(SLICES, "web", slice("web", "10.244.5.5"));
    server.harm(null);
    awaitEndpoints(source, "10.244.5.5");
  }

  @Test
  void shouldIgnoreWhatComesTwiceOrLate() {
    ClusterSource source = source();
    awaitEndpoints(source, "10.244.1.5", "10.244.2.5");
    await(
        source,
        "watches",
        () -> server.requests().stream().filter(r -> r.contains("watch=true")).count() == 6);
    String old = server.object(SLICES, "web");
    server.put(SLICES, "web", slice("web", "10.244.6.5"));
    awaitEndpoints(source, "10.244.6.5");
    String now = server.object(SLICES, "web");
    server.say(SLICES, "{\"type\":\"ADDED\",\"object\":" + now + "}\n");
    server.say(SLICES, "{\"type\":\"MODIFIED\",\"object\":" + old + "}\n");
    server.say(
        SLICES,
        "{\"type\":\"DELETED\",\"object\":{\"kind\":\"EndpointSlice\",\"metadata\":{\"name\":\"nobody\",\"namespace\":\"default\",\"resourceVersion\":\"9\"}}}\n");
    server.put(SERVICES, "after", service("after", 91));
    server.say(
        SLICES,
        "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"EndpointSlice\",\"metadata\":{\"resourceVersion\":\"100000\"}}}\n");
    await(source, "what came after", () -> source.objects().services().size() == 2);
    sleep(100);
    source.poll(System.nanoTime());
    assertEquals(Set.of("10.244.6.5"), addresses(source, WEB));
    String removed = server.object(SERVICES, "after");
    server.remove(SERVICES, "after");
    await(source, "removal", () -> source.objects().services().size() == 1);
    server.say(SERVICES, "{\"type\":\"MODIFIED\",\"object\":" + removed + "}\n");
    server.put(SERVICES, "last", service("last", 92));
    await(
        source,
        "last",
        () -> source.objects().services().containsKey(new ObjectName("default", "last")));
    assertEquals(2, source.objects().services().size(), "what was removed does not come back late");
  }

  @Test
  void shouldAskAnewAfterSilence() {
    ClusterSource source = source();
    awaitEndpoints(source, "10.244.1.5", "10.244.2.5");
    server.silent(true);
    server.put(SLICES, "web", slice("web", "10.244.7.5"));
    sleep(100);
    server.silent(false);
    awaitEndpoints(source, "10.244.7.5"); // swallowed by the old watch, told by the next
  }

  @Test
  void shouldNameAndSkipAnObjectWithAMistake() {
    AtomicInteger refused = new AtomicInteger();
    ClusterSource source =
        source(
            new ApiObserver() {
              @Override
              public void refused() {
                refused.incrementAndGet();
              }
            });
    awaitEndpoints(source, "10.244.1.5", "10.244.2.5");
    server.put(SERVICES, "bad", service("bad", 83).replace("\"port\":80", "\"port\":\"http\""));
    server.put(SLICES, "web", slice("web", "10.244.1.999"));
    server.put(SERVICES, "good", service("good", 84));
    await(source, "the good one", () -> source.objects().services().size() == 2);
    await(source, "both refused", () -> refused.get() >= 2);
    assertEquals(
        Set.of("10.244.1.5", "10.244.2.5"), addresses(source, WEB), "what was known stays");
    server.forget();
    server.cut();
    server.put(SERVICES, "end", service("end", 85));
    await(source, "a list with mistakes", () -> source.objects().services().size() == 3);
    assertEquals(
        Set.of("10.244.1.5", "10.244.2.5"),
        addresses(source, WEB),
        "a list changes nothing of that");
  }

  @Test
  void shouldTakeListsInPiecesAndSurviveOnesThatEndInTheMiddle() {
    AtomicInteger tries = new AtomicInteger();
    server.put(SERVICES, "b", service("b", 2));
    server.harm((exchange, watch) -> {
      String uri = exchange.getRequestURI().toString();
      if (watch || !uri.startsWith(SERVICES)) {
        return false;
      }
      String whole = server.list(SERVICES);
      int items = whole.indexOf("\"items\":[") + 9;
      String head = whole.substring(0, items);
      if (tries.getAndIncrement() == 0) {
        BadApiServer.answer(exchange, 200, whole.substring(0, whole.length() - 40));
      } else if (uri.contains("continue=")) {
        BadApiServer.answer(exchange, 200, head + server.object(SERVICES, "b") + "]}");
      } else {
        BadApiServer.answer(
            exchange,
            200,
            head.replace("\"resourceVersion\"", "\"continue\":\"a+b/c=\",\"resourceVersion\"")
                + server.object(SERVICES, "web")
                + "]}");
      }
      return true;
    });
    ClusterSource source = source();
    await(source, "both pieces", () -> source.objects().services().size() == 2);
  }

  @Test
  void shouldConvergeAfterRandomHarm() {
    long seed = Long.getLong("gatun.seed", 7);
    Random random = new Random(seed);
    ClusterSource source = source();
    awaitEndpoints(source, "10.244.1.5", "10.244.2.5");
    for (int i = 0; i < 120; i++) {
      String name = "s" + random.nextInt(20);
      switch (random.nextInt(9)) {
        case 0 -> server.cut();
        case 1 -> server.forget();
        case 2 -> {
          server.forget();
          server.cut();
        }
        case 3 -> server.remove(SERVICES, name);
        case 4 -> server.say(SERVICES, "{\"type\":\"MODI");
        case 5 -> server.say(SERVICES, "nonsense\n");
        case 6 ->
            server.say(
                SERVICES,
                "{\"type\":\"ADDED\",\"object\":"
                    + service(name, 999).replace("VERSION", "1")
                    + "}\n");
        default -> server.put(SERVICES, name, service(name, random.nextInt(1000)));
      }
      source.poll(System.nanoTime());
      if (random.nextInt(4) == 0) {
        sleep(random.nextInt(20));
      }
    }
    server.cut();
    server.put(SERVICES, "end", service("end", 1));
    await(
        source,
        "the end; seed " + seed,
        () -> source.objects().services().containsKey(new ObjectName("default", "end")));
    ClusterSource fresh = source();
    await(
        fresh,
        "a fresh one",
        () ->
            fresh.isFollowed()
                && fresh.objects().services().containsKey(new ObjectName("default", "end")));
    await(
        source,
        "the same; seed " + seed,
        () -> source.objects().services().equals(fresh.objects().services()));
  }

  @Test
  void shouldSetADamagedFileAsideAndStartWithoutIt() throws IOException {
    Path path = directory.resolve("objects.json");
    ClusterSource before = source();
    awaitEndpoints(before, "10.244.1.5", "10.244.2.5");
    sources.remove(before);
    before.close();
    String whole = Files.readString(path);
    List<String> damaged =
        List.of(
            "",
            "\n",
            "{}",
            whole.substring(0, whole.length() / 2),
            whole.substring(0, whole.length() - 1),
            whole.replace("10.244.1.5", "10.244.1.6"),
            whole.replace("\"test\"", "\"other\""),
            "\u0000".repeat(whole.length()));
    for (String text : damaged) {
      Files.write(path, text.getBytes(StandardCharsets.UTF_8));
      assertEquals(List.of(), new StateFile(path, "test").read());
      assertFalse(Files.exists(path), "set aside");
    }
    Files.writeString(path, whole);
    assertEquals(3, new StateFile(path, "test").read().size());
    assertEquals(List.of(), new StateFile(directory.resolve("none"), "test").read());
  }
}
