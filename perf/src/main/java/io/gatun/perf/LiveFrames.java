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
import io.gatun.packet.Ethernet;
import io.gatun.packet.Ipv4;

/**
 * As fast as it goes: an XDP program that writes a frame and redirects it, run by the kernel on the
 * calling thread ({@code BPF_PROG_TEST_RUN} with live frames). It makes no socket buffers, so it is
 * some times as fast as {@link SocketFrames}, and the receiving end's soft interrupt runs on the
 * same core. For many frames at once: each call makes a page pool, and one whose frames are still
 * under way is given back a second later by a thread of the kernel that walks through all there
 * are; with thousands of calls a second that thread has half a core, anybody's.
 */
final class LiveFrames implements FrameSource {
  /** What the kernel sends at once; also its default. */
  private static final int BATCH = 64;

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
  LiveFrames(String ifName, long destinationMac, int source, Frames frames) {
    this.frames = frames;
    int ifIndex = Libc.requireIfIndex(ifName);
    template = NativeArea.map("frame", frames.bytes());
    frames.write(template.address(), destinationMac, source);
    program = Bpf.loadXdp(assemble(template.address(), ifIndex, frames), "gatun_source", 0);
    link =
        (int)
            NativeException.check(
                Bpf.createXdpLink(program, Libc.ifNameToIndex("lo"), Xdp.XDP_FLAGS_SKB_MODE),
                "attach the source of frames to lo",
                "needs CAP_NET_ADMIN");
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
            .alu(Alu.AND, R7, frames.flows() - 1)
            .alu(Alu.ADD, R7, FIRST_PORT)
            .load(Width.INT, R2, R6, Xdp.MD_DATA)
            .load(Width.INT, R3, R6, Xdp.MD_DATA_END)
            .moveRegister(R1, R2)
            .alu(Alu.ADD, R1, frames.bytes())
            .jumpIfRegister(If.GT, R1, R3, "drop");
    for (int at = 0; at + Long.BYTES <= WRITTEN; at += Long.BYTES) {
      code.loadLong(R1, Memory.getLong(template + at)).store(Width.LONG, R2, at, R1);
    }
    for (int at = WRITTEN & -Long.BYTES; at < WRITTEN; at += 2) {
      code.storeValue(Width.SHORT, R2, at, Memory.getShort(template + at));
    }
    if (frames.networks() > 1) {
      code.alu(Alu.SHIFT_RIGHT, R8, 16)
          .alu(Alu.AND, R8, frames.networks() - 1)
          .alu(Alu.SHIFT_LEFT, R8, NETWORK_BITS)
          .alu(Alu.ADD, R8, frames.destination() & NETWORK - 1)
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

  @Override
  public void send(int count) {
    NativeException.check(
        Bpf.sendLive(program, template.address(), frames.bytes(), count, BATCH),
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
