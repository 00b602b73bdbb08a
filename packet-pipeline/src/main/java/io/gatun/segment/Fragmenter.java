package io.gatun.segment;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Ethernet;
import io.gatun.packet.Ipv4;

/**
 * Cuts one IPv4 packet after the other into fragments (RFC 791, 3.2). Belongs to one worker.
 *
 * <p>All pieces but the last carry a multiple of 8 bytes and say that more follow; the last says
 * what the packet said, which may have been a fragment itself. Options that are not to be copied
 * become no-operations in all but the first piece, so that every header is as long as the packet's.
 */
final class Fragmenter {
  private static final int END_OF_OPTIONS = 0;
  private static final int NO_OPERATION = 1;

  /** RFC 791, 3.1: the option's highest bit says that each fragment has it. */
  private static final int COPIED = 0x80;

  private long source;
  private int l3;
  private int header;
  private int payload;
  private int most;
  private int done;

  /**
   * Starts on the packet at {@code frame}, which stays as it is; its transport checksum is whole.
   *
   * @param ip where the IP header begins, from {@code frame}
   * @param mtu bytes of the largest IP packet, at least 28 more than the header's
   */
  void begin(long frame, int ip, int mtu) {
    source = frame;
    l3 = ip;
    header = Ipv4.headerBytes(frame + ip);
    payload = Ipv4.totalLength(frame + ip) - header;
    most = mtu - header & ~7;
    done = 0;
  }

  /** How many pieces it takes for {@code payload} bytes behind a header of {@code header}. */
  static int pieces(int header, int payload, int mtu) {
    int most = mtu - header & ~7;
    return most <= 0 ? Integer.MAX_VALUE : (payload + most - 1) / most;
  }

  /** Whether a piece is left. */
  boolean more() {
    return done < payload;
  }

  /** Writes the next piece, from its Ethernet header on, to {@code to}; returns its bytes. */
  int next(long to) {
    int size = Math.min(most, payload - done);
    int before = l3 + header;
    Memory.copy(source, to, before);
    Memory.copy(source + before + done, to + before, size);
    long ip = to + l3;
    int word = Ipv4.fragment(ip);
    int offset = (word & Ipv4.FRAGMENT_OFFSET) + (done >>> 3);
    boolean last = done + size == payload;
    int more = last ? word & Ipv4.MORE_FRAGMENTS : Ipv4.MORE_FRAGMENTS;
    Memory.putShortBe(ip + Ipv4.FRAGMENT, offset | more);
    Ipv4.totalLength(ip, header + size);
    if (done != 0) {
      blankOptions(ip);
    }
    Ipv4.computeChecksum(ip);
    done += size;
    return before + size;
  }

  private void blankOptions(long ip) {
    int at = Ipv4.HEADER;
    while (at < header) {
      int option = Memory.getByte(ip + at);
      if (option == END_OF_OPTIONS) {
        return;
      }
      int bytes = option == NO_OPERATION || at + 1 == header ? 1 : Memory.getByte(ip + at + 1);
      if (bytes < 1 || at + bytes > header || (bytes == 1 && option != NO_OPERATION)) {
        return; // a length that lies: as it came
      }
      if ((option & COPIED) == 0) {
        for (int k = 0; k < bytes; k++) {
          Memory.putByte(ip + at + k, NO_OPERATION);
        }
      }
      at += bytes;
    }
  }

  /** Bytes of the largest frame that {@code mtu} allows. */
  static int largest(int mtu) {
    return Ethernet.HEADER + mtu;
  }
}
