package io.gatun.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.kernel.KernelSource;
import io.gatun.control.kernel.StaticRoute;
import io.gatun.control.kernel.TakenPort;
import io.gatun.control.manifest.ManifestSource;
import io.gatun.control.service.NodeSettings;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlThreadTest {
  private static final String WEB =
      """
      {apiVersion: v1, kind: Service, metadata: {name: web},
       spec: {type: NodePort, clusterIP: 10.96.0.1, ports: [{port: 80, nodePort: 30080}]}}
      ---
      {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4,
       metadata: {name: web-1, labels: {kubernetes.io/service-name: web}},
       ports: [{port: 8080}], endpoints: [{addresses: [10.1.0.2]}]}
      """;

  @TempDir Path folder;

  @Test
  void shouldCarryAChangeFromTheFileToTheTables() throws Exception {
    Path file = Files.writeString(folder.resolve("web.yaml"), WEB);
    InetAddress node = Objects.requireNonNull(Addresses.parse("192.0.2.1"));
    List<String> applied = new ArrayList<>();
    try (Fib fib = new Fib(16, Runnable::run)) {
      ControlThread control = control(file, node, fib, applied);
      assertTrue(control.doWork() > 0);
      assertEquals(
          List.of("+CLUSTER_IP[/10.1.0.2:8080]", "+NODE_PORT[/10.1.0.2:8080]"),
          applied.stream().sorted().toList());
      assertEquals(1, fib.size());
      assertEquals(0, control.doWork());

      applied.clear();
      Files.writeString(file, WEB.replace("10.1.0.2", "10.1.0.3").replace("NodePort", "ClusterIP"));
      awaitWork(control);
      assertEquals(
          List.of("+CLUSTER_IP[/10.1.0.3:8080]", "-30080"), applied.stream().sorted().toList());
      assertEquals(1, control.fronts().size());

      Files.writeString(file, WEB.replace("port: 80,", "port: eighty,"));
      for (int i = 0; i < 100 && control.refusal() == null; i++) {
        control.doWork();
        LockSupport.parkNanos(1_000_000);
      }
      assertNotNull(control.refusal());
      assertEquals(1, control.fronts().size());
      assertTrue(control.heartbeat() > 2);
    }
  }

  /** It works nothing out while the heap is nearly full, and nobody has to ask in a hurry. */
  @Test
  void shouldWaitForRoomInTheHeap() throws Exception {
    Path file = Files.writeString(folder.resolve("web.yaml"), WEB);
    InetAddress node = Objects.requireNonNull(Addresses.parse("192.0.2.1"));
    List<String> applied = new ArrayList<>();
    AtomicLong used = new AtomicLong(80);
    List<Runnable> collections = new ArrayList<>();
    try (Fib fib = new Fib(16, Runnable::run)) {
      ControlThread control = control(file, node, fib, applied);
      control.room(new HeapRoom(used::get, 100, () -> {}, _ -> {}, collections::add));
      for (int i = 0; i < 3; i++) {
        long before = control.heartbeat();
        control.doWork();
        assertNotEquals(before, control.heartbeat(), "lives");
      }
      assertEquals(List.of(), applied);
      assertFalse(control.isBehind());
      assertEquals(1, collections.size());

      used.set(10);
      control.doWork();
      assertEquals(2, applied.size());
    }
  }

  private static ControlThread control(Path file, InetAddress node, Fib fib, List<String> applied)
      throws Exception {
    KernelMirror mirror =
        new KernelMirror(
            KernelSource.NONE,
            fib,
            null,
            new Adjacency.Blackhole(),
            List.of(new TakenPort(1, "up0", 0, new MacAddress(2), 1500)),
            List.of(new StaticRoute(new Prefix(node, 24), null, "up0")),
            List.of());
    return new ControlThread(
        new ManifestSource(file),
        mirror,
        new NodeSettings("n1", List.of(node), List.of("primary"), "", false),
        (changed, removed) -> {
          changed.forEach(f -> applied.add("+" + f.kind() + f.endpoints()));
          removed.forEach(k -> applied.add("-" + k.port()));
        },
        () -> 0);
  }

  private static void awaitWork(ControlThread control) {
    for (int i = 0; i < 1000 && control.doWork() == 0; i++) {
      LockSupport.parkNanos(1_000_000);
    }
  }
}
