package io.gatun.perf;

import static io.gatun.ffm.bpf.BpfAssembler.R0;
import static io.gatun.ffm.bpf.BpfAssembler.R1;
import static io.gatun.ffm.bpf.BpfAssembler.R2;
import static io.gatun.ffm.bpf.BpfAssembler.R3;
import static io.gatun.ffm.bpf.BpfAssembler.R6;
import static io.gatun.ffm.bpf.BpfAssembler.R7;
import static io.gatun.ffm.bpf.BpfAssembler.R8;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.bpf.Bpf;
import io.gatun.ffm.bpf.BpfAssembler;
import io.gatun.ffm.bpf.BpfAssembler.Alu;
import io.gatun.ffm.bpf.BpfAssembler.If;
import io.gatun.ffm.bpf.BpfAssembler.Width;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ffm.xdp.Xdp;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Udp;

/**
 * A source of UDP frames of many flows, which differ in their source port: an XDP program that
 * writes a frame and redirects it, run by the kernel on the calling thread ({@code
 * BPF_PROG_TEST_RUN} with live frames). It makes no socket buffers, so it is some times as fast as
 * a packet socket, and the receiving end's soft interrupt runs on the same core.
 *
 * <p>The first two bytes of the payload are the complement of the source port, and where there are
 * several destinations the next two, and the IP identification, that of the destination's lower
 * half: one checksum is right for all. Made and used by one thread, in the network namespace that
 * it sends from.
 */
final class FrameSource implements AutoCloseable {
  /** Bytes of a small frame, as testpmd counts them: virtual devices have no check sequence. */
  static final int BYTES = 64;

  /** Addresses of one network, of which one is sent to. */
  static final int NETWORK = 64;

  private static final int NETWORK_BITS = 6;
  private static final int MOST_NETWORKS = 1 << 16 - NETWORK_BITS;

  /**
   * What is sent.
   *
   * @param destination an address, in the first network
   * @param networks a power of two: so many, one behind the other from the start of a /16, each
   *     frame to any
   * @param flows a power of two, at most {@link #MOST_FLOWS}
   * @param bytes of a frame, {@link #BYTES} or more
   */
  record Frames(int destination, int networks, int port, int flows, int bytes) {
    Frames {
      if (Integer.bitCount(flows) != 1 || flows > MOST_FLOWS) {
        throw new IllegalArgumentException(
            "%d flows: a power of two up to %d is expected".formatted(flows, MOST_FLOWS));
      }
      if (Integer.bitCount(networks) != 1 || networks > MOST_NETWORKS || bytes < BYTES) {
        throw new IllegalArgumentException(
            "%d networks, frames of %d bytes: a power of two up to %d and at least %d are expected"
                .formatted(networks, bytes, MOST_NETWORKS, BYTES));
      }
    }

    /** 64 bytes, to one address. */
    static Frames small(int destination, int port, int flows) {
      return new Frames(destination, 1, port, flows, BYTES);
    }
  }

  /** What the kernel sends at once; also its default. */
  static final int BATCH = 64;

  static final int MOST_FLOWS = 1 << 15;

  private static final int FIRST_PORT = 1024;
  private static final int L4 = Ethernet.HEADER + Ipv4.HEADER;
  private static final int PAYLOAD = L4 + Udp.HEADER;

  /** What is written into every frame: the rest stays as it was sent first. */
  private static final int WRITTEN = PAYLOAD + 4;

  private final Frames frames;
  private final NativeArea template;
  private final int program;

  /**
   * The program is attached to the loopback too, where nothing comes: while it is in use somewhere,
   * the kernel need not rewrite its dispatcher, and wait for an RCU grace period, at every call.
   */
  private final int link;

  /** Sends nothing yet; {@code ifName} is what to send from. */
  FrameSource(String ifName, long destinationMac, int source, Frames frames) {
    this.frames = frames;
    int ifIndex =
        (int)
            NativeException.check(
                Libc.ifNameToIndex(ifName), "find interface " + ifName, "see `ip link`");
    template = NativeArea.map("frame", frames.bytes);
    write(template.address(), destinationMac, source, frames);
    program = Bpf.loadXdp(assemble(template.address(), ifIndex, frames), "gatun_source", 0);
    link =
        (int)
            NativeException.check(
                Bpf.createXdpLink(program, Libc.ifNameToIndex("lo"), Xdp.XDP_FLAGS_SKB_MODE),
                "attach the source of frames to lo",
                "needs CAP_NET_ADMIN");
  }

  private static void write(long frame, long mac, int source, Frames frames) {
    boolean several = frames.networks > 1;
    // A lower half of 0 and its complement, of which the sum is that of every other pair.
    int destination = several ? frames.destination & 0xFFFF_0000 : frames.destination;
    int complement = several ? 0xFFFF : 0;
    int bytes = frames.bytes - L4;
    Ethernet.destination(frame, mac);
    Ethernet.source(frame, 0x02_00_00_00_00_02L);
    Ethernet.type(frame, Ethernet.IPV4);
    long l3 = frame + Ethernet.HEADER;
    int total = frames.bytes - Ethernet.HEADER;
    Ipv4.write(l3, total, complement, 64, IpProtocol.UDP, source, destination);
    long l4 = frame + L4;
    Memory.putShortBe(l4, 0);
    Memory.putShortBe(l4 + 2, frames.port);
    Memory.putShortBe(l4 + 4, bytes);
    Memory.putShortBe(l4 + 6, 0);
    Memory.putShortBe(frame + PAYLOAD, 0xFFFF); // with port 0: the sum is that of every flow
    Memory.putShortBe(frame + PAYLOAD + 2, complement);
    int sum = IpProtocol.UDP + bytes + Checksum.sum(l3 + Ipv4.SOURCE, 8);
    sum += Checksum.sum(l4, bytes);
    sum = (sum & 0xFFFF) + (sum >>> 16);
    sum = (sum & 0xFFFF) + (sum >>> 16);
    Memory.putShortBe(l4 + 6, sum == 0xFFFF ? 0xFFFF : sum ^ 0xFFFF);
  }

  /**
   * Writes headers and the payload's first bytes, and sends: of a frame that came back all counts.
   */
  private static BpfAssembler assemble(long template, int ifIndex, Frames frames) {
    BpfAssembler code =
        new BpfAssembler()
            .moveRegister(R6, R1)
            .call(Bpf.FUNC_GET_PRANDOM_U32)
            .moveRegister(R7, R0)
            .moveRegister(R8, R0)
            .alu(Alu.AND, R7, frames.flows - 1)
            .alu(Alu.ADD, R7, FIRST_PORT)
            .load(Width.INT, R2, R6, Xdp.MD_DATA)
            .load(Width.INT, R3, R6, Xdp.MD_DATA_END)
            .moveRegister(R1, R2)
            .alu(Alu.ADD, R1, frames.bytes)
            .jumpIfRegister(If.GT, R1, R3, "drop");
    for (int at = 0; at + Long.BYTES <= WRITTEN; at += Long.BYTES) {
      code.loadLong(R1, Memory.getLong(template + at)).store(Width.LONG, R2, at, R1);
    }
    for (int at = WRITTEN & -Long.BYTES; at < WRITTEN; at += 2) {
      code.storeValue(Width.SHORT, R2, at, Memory.getShort(template + at));
    }
    if (frames.networks > 1) {
      code.alu(Alu.SHIFT_RIGHT, R8, 16)
          .alu(Alu.AND, R8, frames.networks - 1)
          .alu(Alu.SHIFT_LEFT, R8, NETWORK_BITS)
          .alu(Alu.ADD, R8, frames.destination & NETWORK - 1)
          .toBigEndian(R8, 16)
          .store(Width.SHORT, R2, Ethernet.HEADER + Ipv4.DESTINATION + 2, R8)
          .move(R1, 0xFFFF)
          .aluRegister(Alu.SUB, R1, R8)
          .store(Width.SHORT, R2, Ethernet.HEADER + Ipv4.IDENTIFICATION, R1)
          .store(Width.SHORT, R2, PAYLOAD + 2, R1);
    }
    return code.toBigEndian(R7, 16)
        .store(Width.SHORT, R2, L4, R7)
        .move(R1, 0xFFFF)
        .aluRegister(Alu.SUB, R1, R7)
        .store(Width.SHORT, R2, PAYLOAD, R1)
        .move(R1, ifIndex)
        .move(R2, 0)
        .call(Bpf.FUNC_REDIRECT)
        .exit()
        .label("drop")
        .move(R0, Xdp.XDP_DROP)
        .exit();
  }

  /** Sends {@code count} frames as fast as it goes. */
  void send(int count) {
    NativeException.check(
        Bpf.sendLive(program, template.address(), frames.bytes, count, BATCH),
        "send live XDP frames",
        "needs Linux 5.18, CAP_BPF and CAP_NET_ADMIN");
  }

  /** The program's descriptor: for tests of what it writes. */
  int program() {
    return program;
  }

  @Override
  public void close() {
    Libc.close(link);
    Libc.close(program);
    template.close();
  }
}
