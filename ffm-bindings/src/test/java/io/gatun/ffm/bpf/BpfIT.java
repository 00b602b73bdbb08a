package io.gatun.ffm.bpf;

import static io.gatun.ffm.bpf.BpfAssembler.R0;
import static io.gatun.ffm.bpf.BpfAssembler.R1;
import static io.gatun.ffm.bpf.BpfAssembler.R2;
import static io.gatun.ffm.bpf.BpfAssembler.R3;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.Root;
import io.gatun.ffm.bpf.BpfAssembler.Alu;
import io.gatun.ffm.bpf.BpfAssembler.If;
import io.gatun.ffm.bpf.BpfAssembler.Width;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ffm.xdp.Xdp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BpfIT {
  private final NativeArea memory = NativeArea.map("test", 4096);
  private final List<Integer> descriptors = new ArrayList<>();

  @BeforeEach
  void needsRoot() {
    Root.required();
  }

  @AfterEach
  void close() {
    descriptors.forEach(Libc::close);
    memory.close();
  }

  private int opened(int fd) {
    assertTrue(fd >= 0, Errno.name(fd));
    descriptors.add(fd);
    return fd;
  }

  private int map(int type, int keySize, int valueSize, int entries, int flags) {
    return opened(Bpf.createMap(type, keySize, valueSize, entries, flags, "gatun_test"));
  }

  /** Frames of IPv4 pass, all others are dropped; each is counted. */
  private static BpfAssembler onlyIpv4(int counters) {
    return new BpfAssembler()
        .load(Width.INT, R2, R1, Xdp.MD_DATA)
        .load(Width.INT, R3, R1, Xdp.MD_DATA_END)
        .moveRegister(R1, R2)
        .alu(Alu.ADD, R1, 14)
        .move(R0, Xdp.XDP_DROP)
        .jumpIfRegister(If.GT, R1, R3, "end")
        .loadMapValue(R1, counters, 8)
        .move(R3, 1)
        .atomicAdd(R1, 0, R3)
        .load(Width.SHORT, R3, R2, 12)
        .toBigEndian(R3, 16)
        .jumpIf(If.NE, R3, 0x0800, "end")
        .move(R0, Xdp.XDP_PASS)
        .label("end")
        .exit();
  }

  @Test
  void shouldRunAProgramOnPackets() {
    int counters = map(Bpf.MAP_TYPE_ARRAY, 4, 16, 1, Bpf.BPF_F_MMAPABLE);
    int program = opened(Bpf.loadXdp(onlyIpv4(counters), "only_ipv4", 0));
    try (NativeArea values = Bpf.mapArray("counters", counters, 16, 1)) {
      long packet = memory.address();
      Memory.putShortBe(packet + 12, 0x0800);
      assertEquals(Xdp.XDP_PASS, Bpf.testRun(program, packet, 60, 0, 0, 1).verdict());
      Memory.putShortBe(packet + 12, 0x86DD);
      Bpf.TestRun run = Bpf.testRun(program, packet, 60, packet + 2048, 1000, 9);
      assertEquals(Xdp.XDP_DROP, run.verdict());
      assertEquals(60, run.length());
      assertEquals(0x86DD, Memory.getShortBe(packet + 2048 + 12));
      assertEquals(10, Memory.getLong(values.address() + 8));
      assertEquals(0, Memory.getLong(values.address()));
    }
  }

  @Test
  void shouldSayWhatTheVerifierSaid() {
    BpfAssembler reads = new BpfAssembler().load(Width.LONG, R0, R2, 0).exit();
    NativeException thrown =
        assertThrows(NativeException.class, () -> Bpf.loadXdp(reads, "bad", 0));
    assertEquals(Errno.EACCES, thrown.errno());
    assertTrue(String.valueOf(thrown.getMessage()).contains("R2 !read_ok"), thrown.getMessage());
  }

  @Test
  void shouldRefuseJumpsToNowhere() {
    BpfAssembler lost = new BpfAssembler().jump("nowhere").exit();
    assertThrows(IllegalStateException.class, () -> lost.writeTo(memory.address()));
  }

  @Test
  void shouldKeepEntriesOfAHash() {
    int hash = map(Bpf.MAP_TYPE_HASH, 8, 4, 16, 0);
    long key = memory.address();
    long value = key + 8;
    Memory.putLong(key, 0x0102030405060708L);
    assertEquals(-Errno.ENOENT, Bpf.lookup(hash, key, value));
    Memory.putInt(value, 77);
    assertEquals(0, Bpf.update(hash, key, value, Bpf.BPF_NOEXIST));
    assertEquals(-Errno.EEXIST, Bpf.update(hash, key, value, Bpf.BPF_NOEXIST));
    Memory.putInt(value, 0);
    assertEquals(0, Bpf.lookup(hash, key, value));
    assertEquals(77, Memory.getInt(value));
    assertEquals(0, Bpf.nextKey(hash, 0, value));
    assertEquals(Memory.getLong(key), Memory.getLong(value));
    assertEquals(-Errno.ENOENT, Bpf.nextKey(hash, key, value));
    assertEquals(0, Bpf.delete(hash, key));
    assertEquals(-Errno.ENOENT, Bpf.delete(hash, key));
  }

  @Test
  void shouldSeeTheQueueOfTheDeviceThePacketCameFrom() {
    BpfAssembler queue = new BpfAssembler().load(Width.INT, R0, R1, Xdp.MD_INGRESS_IFINDEX).exit();
    int program = opened(Bpf.loadXdp(queue, "ifindex", 0));
    int lo = Libc.ifNameToIndex("lo");
    assertEquals(lo, Bpf.testRun(program, memory.address(), 60, 0, 0, 1, lo, 0).verdict());
  }

  @Test
  void shouldPinAndFindAgain(@TempDir Path folder) throws IOException {
    assertEquals(0, Bpf.mountBpffs(folder.toString()));
    try {
      int map = map(Bpf.MAP_TYPE_XSKMAP, 4, 4, 4, 0);
      Path pin = folder.resolve("map");
      assertEquals(-Errno.ENOENT, Bpf.get(pin.toString()));
      assertEquals(0, Bpf.pin(map, pin.toString()));
      int again = opened(Bpf.get(pin.toString()));
      assertNotEquals(map, again);
      assertEquals(Bpf.infoId(map), Bpf.infoId(again));
      assertEquals(
          new Bpf.MapInfo(
              Bpf.MAP_TYPE_XSKMAP,
              Bpf.infoId(map),
              4,
              4,
              4,
              Bpf.mapInfo(map).flags(),
              "gatun_test"),
          Bpf.mapInfo(again));
      Files.delete(pin);
    } finally {
      assertEquals(0, Libc.umount(folder.toString(), Libc.MNT_DETACH));
    }
  }

  @Test
  void shouldTellEqualProgramsByTheirTag() {
    int one = opened(Bpf.loadXdp(new BpfAssembler().move(R0, 2).exit(), "one", 0));
    int two = opened(Bpf.loadXdp(new BpfAssembler().move(R0, 2).exit(), "two", 0));
    int other = opened(Bpf.loadXdp(new BpfAssembler().move(R0, 1).exit(), "other", 0));
    assertEquals(Bpf.tag(one), Bpf.tag(two));
    assertEquals(16, Bpf.tag(one).length());
    assertNotEquals(Bpf.tag(one), Bpf.tag(other));
  }
}
