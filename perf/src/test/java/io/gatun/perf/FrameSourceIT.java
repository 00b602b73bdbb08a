package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.bpf.Bpf;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ffm.xdp.Xdp;
import io.gatun.lab.Lab;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every frame is one that a receiver accepts, whatever became of the memory it is written to. */
class FrameSourceIT {
  private static final int FLOWS = 256;

  @BeforeEach
  void needsRoot() {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")), "skipped: namespaces need root");
  }

  @Test
  void shouldWriteWholeFramesOfManyFlows(@TempDir Path run) throws Exception {
    try (Lab lab = Lab.up(run, "source" + ProcessHandle.current().pid(), "source");
        NamespaceThread inside = new NamespaceThread(lab.node("source"));
        NativeArea memory = NativeArea.map("frames", 256)) {
      long used = memory.address(); // full of what somebody left there
      for (int i = 0; i < FrameSource.BYTES; i++) {
        Memory.putByte(used + i, i < 44 ? 0xA5 : 0);
      }
      inside.call(() -> {
        try (LiveFrames source =
            new LiveFrames(
                "lo",
                VethPath.IN_MAC,
                0x0A010002,
                FrameSource.Frames.small(0x0A600035, 53, FLOWS))) {
          boolean[] seen = new boolean[FLOWS];
          for (int i = 0; i < 64; i++) {
            seen[flowOfOneFrame(source, used, memory.address() + 128)] = true;
          }
          int flows = 0;
          for (boolean flow : seen) {
            flows += flow ? 1 : 0;
          }
          assertTrue(flows > 16, flows + " flows in 64 frames");
        }
        return true;
      });
    }
  }

  @Test
  void shouldWriteWholeFramesToManyNetworks(@TempDir Path run) throws Exception {
    int bytes = 1450;
    FrameSource.Frames frames = new FrameSource.Frames(0x0B000005, 1024, 53, FLOWS, bytes);
    try (Lab lab = Lab.up(run, "networks" + ProcessHandle.current().pid(), "source");
        NamespaceThread inside = new NamespaceThread(lab.node("source"));
        NativeArea memory = NativeArea.map("frames", 4096)) {
      inside.call(() -> {
        try (LiveFrames source = new LiveFrames("lo", VethPath.IN_MAC, 0x0A010002, frames)) {
          Set<Integer> seen = new HashSet<>();
          for (int i = 0; i < 64; i++) {
            flowOfOneFrame(source, memory.address(), memory.address() + 2048, bytes);
            int to = Ipv4.destination(memory.address() + 2048 + Ethernet.HEADER);
            assertEquals(5, to & FrameSource.NETWORK - 1);
            assertEquals(0x0B00, to >>> 16);
            seen.add(to);
          }
          assertTrue(seen.size() > 40, seen.size() + " networks in 64 frames");
        }
        return true;
      });
    }
  }

  /** Those that go through a socket are the same. */
  @Test
  void shouldSendWholeFramesOfManyFlowsToManyNetworks(@TempDir Path run) throws Exception {
    int bytes = 128;
    FrameSource.Frames frames = new FrameSource.Frames(0x0B000005, 1024, 53, FLOWS, bytes);
    try (Lab lab = Lab.up(run, "paced" + ProcessHandle.current().pid(), "source");
        NamespaceThread inside = new NamespaceThread(lab.node("source"))) {
      inside.call(() -> {
        Set<Integer> flows = new HashSet<>();
        Set<Integer> networks = new HashSet<>();
        try (SocketFrames source = new SocketFrames("lo", VethPath.IN_MAC, 0x0A010002, frames)) {
          for (int i = 0; i < 64; i++) {
            source.send(1);
            flows.add(flow(source.first(), bytes));
            int to = Ipv4.destination(source.first() + Ethernet.HEADER);
            assertEquals(5, to & FrameSource.NETWORK - 1);
            assertEquals(0x0B00, to >>> 16);
            networks.add(to);
          }
          source.send(200);
        }
        assertTrue(flows.size() > 16, flows.size() + " flows in 64 frames");
        assertTrue(networks.size() > 40, networks.size() + " networks in 64 frames");
        assertEquals(264, VethPath.received("lo"));
        return true;
      });
    }
  }

  private static int flowOfOneFrame(LiveFrames source, long in, long out) {
    return flowOfOneFrame(source, in, out, FrameSource.BYTES);
  }

  private static int flowOfOneFrame(LiveFrames source, long in, long out, int length) {
    Bpf.TestRun run = Bpf.testRun(source.program(), in, length, out, length, 1);
    assertEquals(Xdp.XDP_REDIRECT, run.verdict());
    return flow(out, length);
  }

  /** Of a frame that a receiver accepts. */
  private static int flow(long out, int length) {
    long l3 = out + Ethernet.HEADER;
    long l4 = l3 + Ipv4.HEADER;
    assertTrue(Ipv4.checksumCorrect(l3), Ipv4.print(l3));
    int bytes = length - Ethernet.HEADER - Ipv4.HEADER;
    int sum = IpProtocol.UDP + bytes + Checksum.sum(l3 + Ipv4.SOURCE, 8) + Checksum.sum(l4, bytes);
    sum = (sum & 0xFFFF) + (sum >>> 16);
    assertEquals(0xFFFF, (sum & 0xFFFF) + (sum >>> 16), "UDP checksum");
    assertEquals(53, Memory.getShortBe(l4 + 2));
    return Memory.getShortBe(l4) - 1024;
  }

  @Test
  void shouldRefuseFlowsThatItCannotMask() {
    assertThrows(IllegalArgumentException.class, () -> FrameSource.Frames.small(0, 53, 1000));
  }
}
