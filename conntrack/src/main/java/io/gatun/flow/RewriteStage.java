package io.gatun.flow;

import static io.gatun.flow.FlowLayout.ADDRESSES;
import static io.gatun.flow.FlowLayout.DELTAS;
import static io.gatun.flow.FlowLayout.KEY;
import static io.gatun.flow.FlowLayout.LINE;
import static io.gatun.flow.FlowLayout.NEW_ADDRESSES;
import static io.gatun.flow.FlowLayout.NEW_PORTS;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Sctp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;

/**
 * Translates every packet that has a flow: addresses, ports, and the checksums by the differences
 * that were worked out when the flow was made (RFC 1624). Owned by one worker.
 *
 * <p>A complete checksum changes by the delta of addresses and ports. A partial one is the bare sum
 * of the pseudo-header, so it changes by the addresses' delta alone and is not complemented. A UDP
 * checksum of 0 means none and stays; one that becomes 0 is written as 0xFFFF.
 */
public final class RewriteStage implements Stage {
  private static final int L3 = Ethernet.HEADER;
  private static final int L4 = L3 + Ipv4.HEADER;
  private static final int NOT_PLAIN = PacketVector.IPV6 | PacketVector.LATER_FRAGMENT;

  private final int[] rest = new int[PacketVector.CAPACITY];

  @Override
  public void process(PacketVector v) {
    int left = plain(v);
    for (int k = 0; k < left; k++) {
      rewrite(v, rest[k]);
    }
  }

  /**
   * Whole TCP and UDP packets over IPv4 without tags and options, by far the most, in a loop that
   * calls nothing. All others that have a flow are left in {@link #rest}; returns how many.
   */
  private int plain(PacketVector v) {
    long[] flow = v.flow;
    long[] address = v.address;
    int[] l3s = v.l3;
    int[] l4s = v.l4;
    int[] verdict = v.verdict;
    int[] flags = v.flags;
    int[] protocol = v.protocol;
    int[] portsOf = v.ports;
    int[] others = rest;
    int left = 0;
    for (int i = 0, n = v.size; i < n; i++) {
      long entry = Memory.address(flow[i]);
      if (entry == 0 || verdict[i] != Verdict.CONTINUE) {
        continue;
      }
      int f = flags[i];
      boolean tcp = protocol[i] == IpProtocol.TCP;
      if ((f & NOT_PLAIN) != 0
          || !(tcp || protocol[i] == IpProtocol.UDP)
          || l3s[i] != L3
          || l4s[i] != L4) {
        others[left++] = i;
        continue;
      }
      long frame = Memory.address(address[i]);
      long l3 = frame + L3;
      long l4 = frame + L4;
      long checksum = l4 + (tcp ? Ip.TCP_CHECKSUM : Ip.UDP_CHECKSUM);
      int ports = Memory.getInt(entry + NEW_PORTS);
      int deltas = Memory.getInt(entry + DELTAS);
      int before = Memory.getShortBe(checksum);
      Memory.putLongBe(l3 + Ip.SOURCE4, Memory.getLong(entry + NEW_ADDRESSES));
      Memory.putShortBe(
          l3 + Ip.CHECKSUM4,
          ChecksumDelta.applyToChecksum(Memory.getShortBe(l3 + Ip.CHECKSUM4), deltas >>> 16));
      Memory.putIntBe(l4, ports);
      if ((f & PacketVector.PARTIAL_CHECKSUM) != 0) {
        Memory.putShortBe(checksum, ChecksumDelta.applyToSum(before, deltas >>> 16));
      } else {
        int after = ChecksumDelta.applyToChecksum(before, deltas & 0xFFFF);
        if (tcp) {
          Memory.putShortBe(checksum, after);
        } else if (before != 0) {
          Memory.putShortBe(checksum, after == 0 ? 0xFFFF : after);
        }
      }
      portsOf[i] = ports;
      flags[i] = f | PacketVector.TRANSLATED;
    }
    return left;
  }

  private static void rewrite(PacketVector v, int i) {
    long entry = v.flow[i];
    long l3 = v.address[i] + v.l3[i];
    int f = v.flags[i];
    if ((f & PacketVector.IPV6) == 0) {
      int ports = Memory.getInt(entry + NEW_PORTS);
      int deltas = Memory.getInt(entry + DELTAS);
      Memory.putLongBe(l3 + Ip.SOURCE4, Memory.getLong(entry + NEW_ADDRESSES));
      Memory.putShortBe(
          l3 + Ip.CHECKSUM4,
          ChecksumDelta.applyToChecksum(Memory.getShortBe(l3 + Ip.CHECKSUM4), deltas >>> 16));
      transport(v, i, f, ports, deltas);
    } else {
      // The other direction's key, turned, is what this direction is to become.
      long other = FlowLayout.flowOf(entry) * 2 + LINE - entry;
      Memory.putLongBe(l3 + Ip.SOURCE6, Memory.getLong(other + ADDRESSES + 16));
      Memory.putLongBe(l3 + Ip.SOURCE6 + 8, Memory.getLong(other + ADDRESSES + 24));
      Memory.putLongBe(l3 + Ip.DESTINATION6, Memory.getLong(other + ADDRESSES));
      Memory.putLongBe(l3 + Ip.DESTINATION6 + 8, Memory.getLong(other + ADDRESSES + 8));
      int ports = FlowLayout.turned((int) (Memory.getLong(other + KEY) >>> 32));
      transport(v, i, f, ports, Memory.getInt(entry + DELTAS));
    }
    v.flags[i] = f | PacketVector.TRANSLATED;
  }

  private static void transport(PacketVector v, int i, int flags, int ports, int deltas) {
    v.ports[i] = ports;
    if ((flags & PacketVector.LATER_FRAGMENT) != 0) {
      return; // no header; the first fragment's checksum covers the whole datagram
    }
    long l4 = v.address[i] + v.l4[i];
    int protocol = v.protocol[i];
    if (protocol == IpProtocol.TCP) {
      Memory.putIntBe(l4, ports);
      checksum(l4 + Ip.TCP_CHECKSUM, flags, deltas);
    } else if (protocol == IpProtocol.UDP) {
      Memory.putIntBe(l4, ports);
      udp(l4 + Ip.UDP_CHECKSUM, flags, deltas);
    } else if (protocol == IpProtocol.SCTP) {
      if (Memory.getIntBe(l4) == ports) {
        return; // the CRC covers no addresses
      }
      if ((flags & PacketVector.FIRST_FRAGMENT) != 0) {
        v.drop(i, DropReason.FRAGMENT_UNSUPPORTED); // a CRC over what is not here
        return;
      }
      boolean right = Sctp.isRight(l4, v.l4Length[i]);
      Memory.putIntBe(l4, ports);
      if (right) { // a packet that was damaged on its way stays damaged
        Sctp.complete(l4, v.l4Length[i]);
      }
    } else {
      Memory.putShortBe(l4 + Ip.ICMP_IDENTIFIER, ports >>> 16);
      checksum(l4 + Ip.ICMP_CHECKSUM, flags, deltas);
    }
  }

  private static void checksum(long at, int flags, int deltas) {
    int before = Memory.getShortBe(at);
    Memory.putShortBe(
        at,
        (flags & PacketVector.PARTIAL_CHECKSUM) == 0
            ? ChecksumDelta.applyToChecksum(before, deltas & 0xFFFF)
            : ChecksumDelta.applyToSum(before, deltas >>> 16));
  }

  private static void udp(long at, int flags, int deltas) {
    if ((flags & PacketVector.PARTIAL_CHECKSUM) != 0) {
      checksum(at, flags, deltas);
      return;
    }
    int before = Memory.getShortBe(at);
    if (before != 0) {
      int after = ChecksumDelta.applyToChecksum(before, deltas & 0xFFFF);
      Memory.putShortBe(at, after == 0 ? 0xFFFF : after);
    }
  }
}
