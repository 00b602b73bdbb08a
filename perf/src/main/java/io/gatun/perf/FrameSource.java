package io.gatun.perf;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Udp;

/**
 * A source of UDP frames of many flows, which differ in their source port. Made and used by one
 * thread, in the network namespace that it sends from.
 *
 * <p>The first two bytes of the payload are the complement of the source port, and where there are
 * several destinations the next two, and the IP identification, that of the destination's lower
 * half: one checksum is right for all.
 */
interface FrameSource extends AutoCloseable {
  /** Bytes of a small frame, as testpmd counts them: virtual devices have no check sequence. */
  int BYTES = 64;

  /** Addresses of one network, of which one is sent to. */
  int NETWORK = 64;

  int NETWORK_BITS = 6;

  int MOST_FLOWS = 1 << 15;

  int FIRST_PORT = 1024;

  /** Where the UDP header begins. */
  int L4 = Ethernet.HEADER + Ipv4.HEADER;

  int PAYLOAD = L4 + Udp.HEADER;

  /** Sends {@code count} frames as fast as it goes. */
  void send(int count);

  @Override
  void close();

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
    private static final int MOST_NETWORKS = 1 << 16 - NETWORK_BITS;

    public Frames {
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

    /**
     * Writes the headers of all, and a payload with which one checksum is right for port 0 and,
     * where there are several networks, for none.
     */
    void write(long frame, long mac, int source) {
      boolean several = networks > 1;
      // A lower half of 0 and its complement, of which the sum is that of every other pair.
      int destination = several ? this.destination & 0xFFFF_0000 : this.destination;
      int complement = several ? 0xFFFF : 0;
      int bytes = this.bytes - L4;
      Ethernet.destination(frame, mac);
      Ethernet.source(frame, 0x02_00_00_00_00_02L);
      Ethernet.type(frame, Ethernet.IPV4);
      long l3 = frame + Ethernet.HEADER;
      int total = this.bytes - Ethernet.HEADER;
      Ipv4.write(l3, total, complement, 64, IpProtocol.UDP, source, destination);
      long l4 = frame + L4;
      Memory.putShortBe(l4, 0);
      Memory.putShortBe(l4 + 2, port);
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
  }
}
