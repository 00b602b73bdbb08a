package io.gatun.perf;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ffm.packet.FilterProgram;
import io.gatun.ffm.packet.MessageBatch;
import io.gatun.ffm.packet.PacketSocket;
import io.gatun.ffm.packet.VirtioNetHeader;
import io.gatun.packet.Ethernet;
import io.gatun.packet.Ipv4;
import java.util.SplittableRandom;

/**
 * At a pace: through a packet socket, in socket buffers as a pod's own stack makes them, many by
 * one call. What finds the way full is lost, as on a wire.
 */
final class SocketFrames implements FrameSource {
  /** Frames in one call. */
  static final int BATCH = 64;

  private final Frames frames;
  private final NativeArea area;
  private final MessageBatch batch = new MessageBatch("frames to send", BATCH);
  private final PacketSocket socket;
  private final SplittableRandom random = new SplittableRandom(20261130);

  /** Sends nothing yet; {@code ifName} is what to send from. */
  SocketFrames(String ifName, long destinationMac, int source, Frames frames) {
    this.frames = frames;
    int ifIndex = Libc.requireIfIndex(ifName);
    area = NativeArea.map("frames", (long) BATCH * stride());
    for (int i = 0; i < BATCH; i++) {
      frames.write(frame(i), destinationMac, source);
      batch.set(i, frame(i) - VirtioNetHeader.BYTES, VirtioNetHeader.BYTES + frames.bytes());
    }
    socket = PacketSocket.open(ifIndex, new FilterProgram().leave());
  }

  private int stride() {
    return VirtioNetHeader.BYTES + frames.bytes();
  }

  /** A header that asks for nothing, all zeroes, lies before each. */
  private long frame(int i) {
    return area.address() + (long) i * stride() + VirtioNetHeader.BYTES;
  }

  @Override
  public void send(int count) {
    for (int left = count; left > 0; left -= BATCH) {
      int now = Math.min(left, BATCH);
      for (int i = 0; i < now; i++) {
        vary(frame(i), random.nextInt());
      }
      int sent = 0;
      while (sent < now) {
        int result = batch.send(socket.fd(), sent, now - sent);
        sent += Math.max(1, result); // a frame that was refused is lost
      }
    }
  }

  private void vary(long frame, int bits) {
    int port = FIRST_PORT + (bits & frames.flows() - 1);
    Memory.putShortBe(frame + L4, port);
    Memory.putShortBe(frame + PAYLOAD, 0xFFFF - port);
    if (frames.networks() > 1) {
      int network = bits >>> 16 & frames.networks() - 1;
      int half = network << NETWORK_BITS | frames.destination() & NETWORK - 1;
      Memory.putShortBe(frame + Ethernet.HEADER + Ipv4.DESTINATION + 2, half);
      Memory.putShortBe(frame + Ethernet.HEADER + Ipv4.IDENTIFICATION, 0xFFFF - half);
      Memory.putShortBe(frame + PAYLOAD + 2, 0xFFFF - half);
    }
  }

  /** Where it writes its first frame: for tests of what it writes. */
  long first() {
    return frame(0);
  }

  @Override
  public void close() {
    socket.close();
    batch.close();
    area.close();
  }
}
