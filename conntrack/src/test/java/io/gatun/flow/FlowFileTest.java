package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ring.qsbr.Qsbr;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a process leaves in the file, and what the next one makes of it. */
class FlowFileTest {
  private static final int UDP = 17;
  private static final Path SHM = Path.of("/dev/shm");

  private Path directory;

  @BeforeEach
  void directory() throws IOException {
    Assumptions.assumeTrue(Files.isWritable(SHM), "skipped: no /dev/shm");
    directory = Files.createTempDirectory(SHM, "gatun-flows-");
  }

  @AfterEach
  void remove() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private FlowTable open(int maxFlows) throws IOException {
    FlowFile file = FlowFile.open(directory, maxFlows);
    return open(maxFlows, file);
  }

  private static FlowTable open(int maxFlows, FlowFile file) {
    FlowTable table = new FlowTable(maxFlows, FlowTimeouts.defaults(), new Qsbr(1), file);
    table.inherit();
    return table;
  }

  @Test
  void shouldTakeOverFromALivingOwnerWhenItHasLetGo() throws IOException {
    int tick = Ticks.ofNanos(Libc.monotonicNanos());
    FlowTable first = open(100);
    assertTrue(first.insert(flow(false, 1), tick) > 0);
    FlowFile followed = FlowFile.follow(directory, 100, FlowFile.Annex.NONE);
    // What is inserted after the successor has opened the file counts too.
    assertTrue(first.insert(flow(true, 2), tick) > 0);
    try (FlowTable second = open(100, followed)) {
      assertTrue(whole(second, flow(false, 1)));
      assertTrue(whole(second, flow(true, 2)));
      first.close();
      followed.lock();
      assertThrows(IOException.class, () -> FlowFile.open(directory, 100));
    }
  }

  @Test
  void shouldNotFollowWhatNobodyHas() {
    IOException e =
        assertThrows(IOException.class, () -> FlowFile.follow(directory, 100, FlowFile.Annex.NONE));
    assertTrue(
        String.valueOf(e.getMessage()).endsWith("cannot be taken over: nobody's"),
        String.valueOf(e.getMessage()));
  }

  static NewFlow flow(boolean ipv6, int n) {
    NewFlow f = new NewFlow();
    long high = ipv6 ? 0xfd00L << 48 : 0;
    f.ipv6 = ipv6;
    f.protocol = UDP;
    f.sourceHigh = f.destinationHigh = f.newSourceHigh = f.newDestinationHigh = high;
    f.sourceLow = 0x0a000000L + n;
    f.destinationLow = 0x0a600001L;
    f.ports = 4000 << 16 | 80;
    f.newSourceLow = f.sourceLow;
    f.newDestinationLow = 0x0a640001L + n % 7;
    f.newPorts = 4000 << 16 | 8080;
    f.service = 5;
    f.hash = hash(ipv6, f.sourceLow, f.destinationLow, f.ports);
    return f;
  }

  private static int hash(boolean ipv6, long source, long destination, int ports) {
    long high = 0xfd00L << 48;
    return ipv6
        ? FlowHash.of(high, source, high, destination, ports, UDP)
        : FlowHash.of((int) source, (int) destination, ports, UDP);
  }

  private static long find(
      FlowTable table, boolean ipv6, long source, long destination, int ports) {
    int hash = hash(ipv6, source, destination, ports);
    long high = 0xfd00L << 48;
    return ipv6
        ? table.find(hash, high, source, high, destination, ports, UDP)
        : table.find(hash, (int) source, (int) destination, ports, UDP);
  }

  /** Both directions, and that they belong together. */
  static boolean whole(FlowTable table, NewFlow f) {
    long original = find(table, f.ipv6, f.sourceLow, f.destinationLow, f.ports);
    long reply =
        find(table, f.ipv6, f.newDestinationLow, f.newSourceLow, FlowLayout.turned(f.newPorts));
    assertEquals(original == 0, reply == 0, "half a flow");
    return original != 0 && reply == original + FlowLayout.LINE;
  }

  private static int now() {
    return Ticks.ofNanos(Libc.monotonicNanos());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFindItsFlowsAgain(boolean ipv6) throws IOException {
    try (FlowTable table = open(1000)) {
      for (int n = 0; n < 600; n++) {
        table.insert(flow(ipv6, n), now());
      }
      for (int n = 0; n < 600; n += 3) {
        NewFlow f = flow(ipv6, n);
        assertTrue(table.remove(find(table, ipv6, f.sourceLow, f.destinationLow, f.ports)));
      }
    }
    try (FlowTable table = open(2000)) {
      assertEquals(400, table.size());
      for (int n = 0; n < 600; n++) {
        assertEquals(n % 3 != 0, whole(table, flow(ipv6, n)), "flow " + n);
      }
      assertEquals(5, table.copies(f -> true, 1, now()).getFirst().service());
      table.adopt(view -> (view.clientLow() & 1) == 0 ? -1 : 9);
      assertEquals(200, table.size());
      assertEquals(9, table.copies(f -> true, 1, now()).getFirst().service());
      assertEquals(200, table.removeIf(f -> f.service() == 9));
      for (int n = 1000; n < 3000; n++) {
        NewFlow f = flow(ipv6, n);
        f.service = 0;
        long entry = table.insert(f, now());
        assertTrue(entry > 0 && f.inserted, "flow " + n);
        // Gives way to nobody.
        Memory.putShort(entry + FlowLayout.STATE, FlowState.UDP_STREAM.ordinal());
      }
      assertEquals(FlowTable.FULL, table.insert(flow(ipv6, 5000), now()));
    }
  }

  @Test
  void shouldForgetWhatExpiredMeanwhile() throws IOException {
    try (FlowTable table = open(1000)) {
      table.insert(flow(false, 1), now());
      table.insert(flow(false, 2), now() - Ticks.ofSeconds(40));
    }
    try (FlowTable table = open(1000)) {
      assertEquals(1, table.size());
      assertTrue(whole(table, flow(false, 1)));
    }
  }

  @Test
  void shouldTakeOnlyWholeFlows() throws IOException {
    List<Consumer<Long>> damages =
        List.of(
            flow -> Memory.putShort(flow + FlowLayout.LINE + FlowLayout.PUBLISHED, 0),
            flow -> Memory.putLong(flow, 0),
            flow -> Memory.putLong(flow + FlowLayout.LINE, 0),
            flow -> Memory.putByte(flow + FlowLayout.DIRECTION, 1),
            flow -> Memory.putByte(flow + FlowLayout.LINE + FlowLayout.DIRECTION, 0),
            flow -> Memory.putShort(flow + FlowLayout.STATE, 200),
            flow -> Memory.putLong(flow, Memory.getLong(flow) ^ 0x100),
            flow -> Memory.copy(flow - FlowLayout.FLOW_BYTES, flow, FlowLayout.FLOW_BYTES));
    try (FlowTable table = open(1000)) {
      for (int n = 0; n < 2 * damages.size(); n++) {
        long entry = table.insert(flow(false, n), now());
        if (n % 2 == 1) {
          damages.get(n / 2).accept(entry);
        }
      }
    }
    try (FlowTable table = open(1000)) {
      assertEquals(damages.size(), table.size());
      for (int n = 0; n < 2 * damages.size(); n++) {
        assertEquals(n % 2 == 0, whole(table, flow(false, n)), "flow " + n);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 8, 16, 32})
  void shouldSetAsideWhatIsNotItsOwn(int offset) throws IOException {
    try (FlowTable table = open(1000)) {
      table.insert(flow(false, 1), now());
    }
    try (RandomAccessFile file = new RandomAccessFile(directory.resolve("flows").toFile(), "rw")) {
      file.seek(offset);
      file.write(new byte[] {-1, -1, -1, -1});
    }
    try (FlowTable table = open(1000)) {
      assertEquals(0, table.size());
    }
    assertTrue(Files.exists(directory.resolve("flows.set-aside")));
  }

  @Test
  void shouldSetAsideTextAndStubs() throws IOException {
    for (String text : new String[] {"x", "hello, this is no flow file at all\n".repeat(9)}) {
      Files.writeString(directory.resolve("flows"), text);
      open(1000).close();
      assertTrue(Files.deleteIfExists(directory.resolve("flows.set-aside")));
    }
    try (FlowTable table = open(1000)) {
      table.insert(flow(false, 1), now());
    }
    try (RandomAccessFile file = new RandomAccessFile(directory.resolve("flows").toFile(), "rw")) {
      file.setLength(4096);
    }
    open(1000).close();
    assertTrue(Files.exists(directory.resolve("flows.set-aside")));
  }

  @Test
  void shouldBelongToOneProcess() throws IOException {
    try (FlowTable _ = open(1000)) {
      IOException e = assertThrows(IOException.class, () -> open(1000));
      assertTrue(String.valueOf(e.getMessage()).contains("still running"), e::toString);
    }
    FlowFile file = FlowFile.open(directory, 1000);
    file.remove();
    file.close();
    assertFalse(Files.exists(directory.resolve("flows")));
  }
}
