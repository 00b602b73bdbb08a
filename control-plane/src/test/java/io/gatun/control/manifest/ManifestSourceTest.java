package io.gatun.control.manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestSourceTest {
  @TempDir Path folder;

  private static String service(String name, int port) {
    return """
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: %s}
    spec: {clusterIP: 10.0.0.1, ports: [{port: %d}]}
    """
        .formatted(name, port);
  }

  /** Polls as the control thread does; returns the milliseconds until something changed. */
  private static long awaitChange(ManifestSource source) {
    long start = System.nanoTime();
    while (!source.poll(System.nanoTime())) {
      long waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
      assertTrue(waited < 5000, "no change was seen");
      LockSupport.parkNanos(1_000_000);
    }
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
  }

  private static void assertNoChange(ManifestSource source) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(150);
    while (System.nanoTime() < end) {
      assertFalse(source.poll(System.nanoTime()));
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Test
  void shouldSeeAChangeWithin100Milliseconds() throws Exception {
    Path file = Files.writeString(folder.resolve("a.yaml"), service("a", 80));
    ManifestSource source = new ManifestSource(file);
    assertNoChange(source);
    long best = Long.MAX_VALUE; // of three: the machine is shared
    for (int port = 81; port < 84; port++) {
      Files.writeString(file, service("a", port));
      best = Math.min(best, awaitChange(source));
      assertEquals(
          port, source.objects().services().values().iterator().next().ports().getFirst().port());
    }
    assertTrue(best < 100, best + " ms");
  }

  @Test
  void shouldSeeChangesThatComeFasterThanItLooks() throws Exception {
    Path file = Files.writeString(folder.resolve("a.yaml"), service("a", 80));
    Path calm = Files.writeString(folder.resolve("b.yaml"), service("b", 80));
    ManifestSource source = new ManifestSource(folder);
    Files.writeString(calm, service("b", 81));
    int changes = 0;
    for (int i = 0; i < 60; i++) {
      Path next = Files.writeString(folder.resolve(".next"), service("a", 1000 + i));
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      changes += source.poll(i * 20_000_000L) ? 1 : 0;
    }
    assertTrue(changes > 30, changes + " changes seen");
    assertTrue(
        source.objects().services().values().stream()
            .anyMatch(service -> service.ports().getFirst().port() == 81));
  }

  @Test
  void shouldSeeRenameOverAndFilesThatComeAndGo() throws Exception {
    Path file = Files.writeString(folder.resolve("a.yaml"), service("a", 80));
    ManifestSource source = new ManifestSource(folder);
    Path next = Files.writeString(folder.resolve(".a.yaml.swp"), service("a", 81));
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    awaitChange(source);
    Files.writeString(
        folder.resolve("b.json"),
        "{\"apiVersion\": \"v1\", \"kind\": \"Service\","
            + "\"metadata\": {\"name\": \"b\"}, \"spec\": {\"clusterIP\": \"None\"}}");
    Files.writeString(folder.resolve("README.md"), "not a manifest");
    awaitChange(source);
    assertEquals(2, source.objects().services().size());
    Files.delete(file);
    awaitChange(source);
    assertEquals(1, source.objects().services().size());
  }

  @Test
  void shouldSeeAConfigMapsDataSwitch() throws Exception {
    Path one = Files.createDirectory(folder.resolve("..one"));
    Path two = Files.createDirectory(folder.resolve("..two"));
    Files.writeString(one.resolve("a.yaml"), service("a", 80));
    Files.writeString(two.resolve("a.yaml"), service("a", 81));
    Files.createSymbolicLink(folder.resolve("..data"), Path.of("..one"));
    Files.createSymbolicLink(folder.resolve("a.yaml"), Path.of("..data/a.yaml"));
    ManifestSource source = new ManifestSource(folder);
    Path next = Files.createSymbolicLink(folder.resolve("..data_tmp"), Path.of("..two"));
    Files.move(next, folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
    awaitChange(source);
    assertEquals(
        81, source.objects().services().values().iterator().next().ports().getFirst().port());
  }

  @Test
  void shouldRefuseAChangeWithAMistakeWhole() throws Exception {
    Path file = Files.writeString(folder.resolve("a.yaml"), service("a", 80));
    ManifestSource source = new ManifestSource(folder);
    Files.writeString(file, service("a", 81) + service("b", 99999));
    assertNoChange(source);
    assertEquals(
        file
            + ": Service default/b: spec.ports[0].port: got 99999, expected an integer from 1 to"
            + " 65535",
        source.refusal());
    assertEquals(1, source.objects().services().size());
    Files.writeString(file, service("a", 81) + service("b", 9999));
    awaitChange(source);
    assertNull(source.refusal());
    assertEquals(2, source.objects().services().size());
  }

  /** Issue 6: "objects with nonsense … named once and skipped, the rest works". */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {clusterIP: 10.0.0.9, ports: [{port: 70000}]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {clusterIP: 10.0.0.9, ports: [{port: -1}]}}",
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: x}, addressType: IPv4, endpoints: [{addresses: ['fd00::1']}]}",
        "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{ports: [{hostPort: 1}]}]}}",
        "{apiVersion: v1, kind: Node, metadata: {name: x}, spec: {podCIDR: 10.0.0.0}}",
        "a: &a [*a]",
        "a: &a {b: {c: *a}}",
        "{a: 1, a: 2}",
        "just text",
        "kind: Service",
      })
  void shouldLeaveOutNonsenseAndTakeTheRest(String nonsense) throws Exception {
    Path file =
        Files.writeString(
            folder.resolve("a.yaml"),
            service("a", 80) + "---\n" + nonsense + "\n" + service("b", 81));
    ManifestSource source = new ManifestSource(folder);
    assertEquals(2, source.objects().services().size());
    // It stays as it is while the rest changes.
    Files.writeString(
        file, service("a", 80) + "---\n" + nonsense + "\n" + service("b", 82) + service("c", 1));
    awaitChange(source);
    assertEquals(3, source.objects().services().size());
    assertNull(source.refusal());
  }

  @Test
  void shouldTakeAnnotationsOfTenMegabytes() throws Exception {
    Files.writeString(
        folder.resolve("a.yaml"),
        "---\n{apiVersion: v1, kind: Service, metadata: {name: a, annotations: {x: '"
            + "0123456789 \u00e4".repeat(1 << 20)
            + "'}}, spec: {clusterIP: 10.0.0.1, unheardOf: [1], ports: [{port: 80}]}}\n");
    assertEquals(1, new ManifestSource(folder).objects().services().size());
  }

  @Test
  void shouldKeepTheStateWhenAFileIsCutOrItsPathVanishes() throws Exception {
    Path file = Files.writeString(folder.resolve("a.yaml"), service("a", 80));
    ManifestSource source = new ManifestSource(file);
    Files.writeString(file, "");
    assertNoChange(source);
    assertNotNull(source.refusal());
    Files.delete(file);
    assertNoChange(source);
    assertEquals(file + ": cannot be read: no such file", source.refusal());
    assertEquals(1, source.objects().services().size());
  }

  @Test
  void shouldTakeOneOfTwoObjectsOfOneNameThatDiffer() throws Exception {
    Path a = Files.writeString(folder.resolve("a.yaml"), service("a", 80) + service("a", 80));
    Path b = Files.writeString(folder.resolve("b.yaml"), service("a", 81) + service("b", 80));
    assertEquals(
        b
            + ": Service default/a: got a second one that differs from that in "
            + a
            + ", expected one",
        assertThrows(ManifestException.class, () -> Manifests.read(folder)).getMessage());
    ManifestSource source = new ManifestSource(folder);
    assertEquals(List.of(80, 80), ports(source));
    Files.delete(a);
    awaitChange(source);
    assertEquals(List.of(81, 80), ports(source));
    Files.writeString(a, service("a", 82) + service("c", 83)); // what was there before stays
    awaitChange(source);
    assertEquals(List.of(81, 80, 83), ports(source));
  }

  @Test
  void shouldRefuseAChangeWhoseObjectAnotherFileHasUntilThatOneGivesWay() throws Exception {
    Path a = Files.writeString(folder.resolve("a.yaml"), service("a", 80));
    Path b = Files.writeString(folder.resolve("b.yaml"), service("b", 80));
    ManifestSource source = new ManifestSource(folder);
    Files.writeString(b, service("a", 81) + service("b", 81));
    assertNoChange(source);
    assertEquals(List.of(80, 80), ports(source));
    assertEquals(
        b
            + ": Service default/a: got a second one that differs from that in "
            + a
            + ", expected one",
        source.refusal());
    Files.delete(a);
    awaitChange(source);
    assertEquals(List.of(81, 81), ports(source));
    assertNull(source.refusal());
  }

  private static List<Integer> ports(ManifestSource source) {
    return source.objects().services().values().stream()
        .map(service -> service.ports().getFirst().port())
        .toList();
  }

  @Test
  void shouldGoOnWithOtherFilesWhileOneIsRefused() throws Exception {
    Path a = Files.writeString(folder.resolve("a.yaml"), service("a", 80));
    Path b = Files.writeString(folder.resolve("b.yaml"), service("b", 80));
    ManifestSource source = new ManifestSource(folder);
    Files.writeString(a, service("a", 81) + "---\n]");
    assertNoChange(source);
    assertTrue(String.valueOf(source.refusal()).startsWith(a + ": line "), source.refusal());
    Files.writeString(b, service("b", 82));
    awaitChange(source);
    assertEquals(List.of(80, 82), ports(source));
    assertNotNull(source.refusal());
    Files.writeString(a, service("a", 81));
    awaitChange(source);
    assertNull(source.refusal());
    assertEquals(List.of(81, 82), ports(source));
  }

  @Test
  void shouldStartWithoutAFileThatIsNoYaml() throws Exception {
    Path a = Files.writeString(folder.resolve("a.yaml"), "]");
    assertThrows(ManifestException.class, () -> new ManifestSource(folder));
    Files.writeString(folder.resolve("b.yaml"), service("b", 80));
    ManifestSource source = new ManifestSource(folder);
    assertEquals(List.of(80), ports(source));
    Files.writeString(a, service("a", 81) + service("c", 99999));
    awaitChange(source);
    assertEquals(List.of(81, 80), ports(source));
    assertNull(source.refusal());
  }

  @Test
  void shouldKeepTheStateWhenTheFolderVanishes() throws Exception {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    Path a = Files.writeString(inner.resolve("a.yaml"), service("a", 80));
    ManifestSource source = new ManifestSource(inner);
    Files.delete(a);
    Files.delete(inner);
    assertNoChange(source);
    assertEquals(inner + ": cannot be listed: no such folder", source.refusal());
    assertEquals(List.of(80), ports(source));
    Files.createDirectory(inner);
    Files.writeString(a, service("a", 81));
    awaitChange(source);
    assertNull(source.refusal());
    assertEquals(List.of(81), ports(source));
  }

  @Test
  void shouldSayWhatIsWrongWithAFileItCannotRead() throws IOException {
    Path none = folder.resolve("none.yaml");
    assertEquals(
        none + ": cannot be read: no such file",
        assertThrows(ManifestException.class, () -> Manifests.read(none)).getMessage());
    Path bytes = Files.write(folder.resolve("b.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    assertEquals(
        bytes + ": got bytes that are no text, expected UTF-8",
        assertThrows(ManifestException.class, () -> Manifests.read(bytes)).getMessage());
  }
}
