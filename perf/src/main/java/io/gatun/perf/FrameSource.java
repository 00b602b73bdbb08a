package io.gatun.perf;

import static io.gatun.ffm.bpf.BpfAssembler.R0;
import static io.gatun.ffm.bpf.BpfAssembler.R1;
import static io.gatun.ffm.bpf.BpfAssembler.R2;
import static io.gatun.ffm.bpf.BpfAssembler.R3;
import static io.gatun.ffm.bpf.BpfAssembler.R6;
import static io.gatun.ffm.bpf.BpfAssembler.R7;

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
 * A source of 64-byte UDP frames of many flows, which differ in their source port: an XDP program
 * that writes a frame and redirects it, run by the kernel on the calling thread ({@code
 * BPF_PROG_TEST_RUN} with live frames). It makes no socket buffers, so it is some times as fast as
 * a packet socket, and the receiving end's soft interrupt runs on the same core.
 *
 * <p>The first two bytes of the payload are the complement of the source port: one checksum is
 * right for all flows. Made and used by one thread, in the network namespace that it sends from.
 */
final class FrameSource implements AutoCloseable {
  /** Bytes of a frame, as testpmd counts them: there is no check sequence on virtual devices. */
  static final int BYTES = 64;

  /** What the kernel sends at once; also its default. */
  static final int BATCH = 64;

  static final int MOST_FLOWS = 1 << 15;

  private static final int FIRST_PORT = 1024;
  private static final int L4 = Ethernet.HEADER + Ipv4.HEADER;
  private static final int PAYLOAD = L4 + Udp.HEADER;

  private final NativeArea template;
  private final int program;

  /**
   * The program is attached to the loopback too, where nothing comes: while it is in use somewhere,
   * the kernel need not rewrite its dispatcher, and wait for an RCU grace period, at every call.
   */
  private final int link;

  /**
   * @param ifName what to send from
   * @param flows a power of two, at most {@link #MOST_FLOWS}
   */
  FrameSource(
      String ifName, long destinationMac, int source, int destination, int port, int flows) {
    if (Integer.bitCount(flows) != 1 || flows > MOST_FLOWS) {
      throw new IllegalArgumentException(
          "%d flows: a power of two up to %d is expected".formatted(flows, MOST_FLOWS));
    }
    int ifIndex =
        (int)
            NativeException.check(
                Libc.ifNameToIndex(ifName), "find interface " + ifName, "see `ip link`");
    template = NativeArea.map("frame", BYTES);
    write(template.address(), destinationMac, source, destination, port);
    program = Bpf.loadXdp(assemble(template.address(), ifIndex, flows - 1), "gatun_source", 0);
    link =
        (int)
            NativeException.check(
                Bpf.createXdpLink(program, Libc.ifNameToIndex("lo"), Xdp.XDP_FLAGS_SKB_MODE),
                "attach the source of frames to lo",
                "needs CAP_NET_ADMIN");
  }

  private static void write(long frame, long mac, int source, int destination, int port) {
    Ethernet.destination(frame, mac);
    Ethernet.source(frame, 0x02_00_00_00_00_02L);
    Ethernet.type(frame, Ethernet.IPV4);
    long l3 = frame + Ethernet.HEADER;
    Ipv4.write(l3, BYTES - Ethernet.HEADER, 0, 64, IpProtocol.UDP, source, destination);
    long l4 = frame + L4;
    Memory.putShortBe(l4, 0);
    Memory.putShortBe(l4 + 2, port);
    Memory.putShortBe(l4 + 4, BYTES - L4);
    Memory.putShortBe(l4 + 6, 0);
    Memory.putShortBe(frame + PAYLOAD, 0xFFFF); // with port 0: the sum is that of every flow
    int sum = IpProtocol.UDP + BYTES - L4 + Checksum.sum(l3 + Ipv4.SOURCE, 8);
    sum += Checksum.sum(l4, BYTES - L4);
    sum = (sum & 0xFFFF) + (sum >>> 16);
    sum = (sum & 0xFFFF) + (sum >>> 16);
    Memory.putShortBe(l4 + 6, sum == 0xFFFF ? 0xFFFF : sum ^ 0xFFFF);
  }

  /**
   * Writes headers and the payload's first bytes, and sends: of a frame that came back all counts.
   */
  private static BpfAssembler assemble(long template, int ifIndex, int flowMask) {
    BpfAssembler code =
        new BpfAssembler()
            .moveRegister(R6, R1)
            .call(Bpf.FUNC_GET_PRANDOM_U32)
            .moveRegister(R7, R0)
            .alu(Alu.AND, R7, flowMask)
            .alu(Alu.ADD, R7, FIRST_PORT)
            .load(Width.INT, R2, R6, Xdp.MD_DATA)
            .load(Width.INT, R3, R6, Xdp.MD_DATA_END)
            .moveRegister(R1, R2)
            .alu(Alu.ADD, R1, BYTES)
            .jumpIfRegister(If.GT, R1, R3, "drop");
    for (int at = 0; at + Long.BYTES <= PAYLOAD + 2; at += Long.BYTES) {
      code.loadLong(R1, Memory.getLong(template + at)).store(Width.LONG, R2, at, R1);
    }
    for (int at = (PAYLOAD + 2) & -Long.BYTES; at < PAYLOAD + 2; at += 2) {
      code.storeValue(Width.SHORT, R2, at, Memory.getShort(template + at));
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
        Bpf.sendLive(program, template.address(), BYTES, count, BATCH),
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
