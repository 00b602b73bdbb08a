package io.gatun.pipeline;

import io.gatun.packet.Answer;
import io.gatun.packet.Checksum;
import io.gatun.packet.Icmp;
import io.gatun.packet.Icmpv6;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Tcp;
import io.gatun.packet.Udp;
import io.gatun.segment.Segmenter;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;

/**
 * What stages call to answer a packet instead of dropping it silently. Owned by one worker; only
 * {@link #ownAddresses(OwnAddresses)} may be called by other threads.
 *
 * <p>Every method ends packet {@code i}, which has been through parse: with {@link Verdict#ANSWER},
 * the frame rewritten and {@code outPort} the port it came from, or, when it must not be answered
 * (RFC 1812, RFC 4443), its checksum is wrong, the rate is used up or the headroom too small, with
 * {@link Verdict#DROP}. {@code dropReason} says why in both cases.
 *
 * <p>Port unreachable, reset and echo reply come from the address that the packet was for: the
 * Service's, not ours. All others come from our own address.
 */
public final class Answers {
  /** ICMP errors a second and worker, Linux' {@code icmp_msgs_per_sec}; another for "too big". */
  private static final int PER_SECOND = 1_000;

  private static final int BURST = 256;

  /** Room that stays free in front of a frame: struct xsk_tx_metadata (linux/if_xdp.h). */
  private static final int TX_METADATA = 24;

  /** What an answer keeps of the packet's flags. */
  private static final int KEPT = PacketVector.IPV6;

  private final NanoClock clock;
  private final TokenBucket errors;
  // Path MTU discovery must not starve because somebody scans ports.
  private final TokenBucket tooBig;
  private final Segmenter segmenter = new Segmenter();
  private volatile OwnAddresses own = OwnAddresses.NONE;

  public Answers() {
    this(SystemNanoClock.INSTANCE);
  }

  public Answers(NanoClock clock) {
    this.clock = clock;
    errors = new TokenBucket(PER_SECOND, BURST, clock.nanoTime());
    tooBig = new TokenBucket(PER_SECOND, BURST, clock.nanoTime());
  }

  /** Our addresses from now on; any thread. */
  public void ownAddresses(OwnAddresses addresses) {
    own = addresses;
  }

  /** ICMP port unreachable, from the packet's own destination: kube-proxy's reject. */
  public void portUnreachable(PacketVector v, int i, DropReason reason) {
    if (!checksumCorrect(v, i)) {
      v.drop(i, DropReason.BAD_L4_CHECKSUM);
    } else if (ipv6(v, i)) {
      long l3 = v.address[i] + v.l3[i];
      long high = Ipv6.destinationHigh(l3);
      long low = Ipv6.destinationLow(l3);
      int type = Icmpv6.DESTINATION_UNREACHABLE;
      errorV6(v, i, errors, type, Icmpv6.PORT_UNREACHABLE, 0, high, low, reason);
    } else {
      int source = Ipv4.destination(v.address[i] + v.l3[i]);
      int type = Icmp.DESTINATION_UNREACHABLE;
      errorV4(v, i, errors, type, Icmp.PORT_UNREACHABLE, 0, source, reason);
    }
  }

  /** There is no route: network unreachable, no route to destination. */
  public void noRoute(PacketVector v, int i, DropReason reason) {
    unreachable(v, i, Icmp.NET_UNREACHABLE, Icmpv6.NO_ROUTE, reason);
  }

  /** The next hop does not answer: host unreachable, address unreachable. */
  public void hostUnreachable(PacketVector v, int i, DropReason reason) {
    unreachable(v, i, Icmp.HOST_UNREACHABLE, Icmpv6.ADDRESS_UNREACHABLE, reason);
  }

  /** Administratively prohibited. */
  public void prohibited(PacketVector v, int i, DropReason reason) {
    int code4 = Icmp.ADMINISTRATIVELY_PROHIBITED;
    unreachable(v, i, code4, Icmpv6.ADMINISTRATIVELY_PROHIBITED, reason);
  }

  /** Destination unreachable with the code of the packet's family. */
  public void unreachable(PacketVector v, int i, int code4, int code6, DropReason reason) {
    int type4 = Icmp.DESTINATION_UNREACHABLE;
    report(v, i, errors, type4, code4, Icmpv6.DESTINATION_UNREACHABLE, code6, 0, reason);
  }

  /** Time to live or hop limit ran out; call it before the field is decremented. */
  public void timeExceeded(PacketVector v, int i) {
    int type4 = Icmp.TIME_EXCEEDED;
    int type6 = Icmpv6.TIME_EXCEEDED;
    report(v, i, errors, type4, 0, type6, 0, 0, DropReason.TTL_EXCEEDED);
  }

  /** Fragmentation needed or packet too big, with the {@code mtu} of the way out in bytes. */
  public void tooBig(PacketVector v, int i, int mtu) {
    int type4 = Icmp.DESTINATION_UNREACHABLE;
    int type6 = Icmpv6.PACKET_TOO_BIG;
    // RFC 1191, 4 and RFC 4443, 3.2: the lower 16 bits of the word, or all of it.
    int code4 = Icmp.FRAGMENTATION_NEEDED;
    report(v, i, tooBig, type4, code4, type6, 0, mtu, DropReason.TOO_BIG);
  }

  /** TCP reset; any other packet is dropped, and fragments, whose segment's end is unknown. */
  public void reset(PacketVector v, int i, DropReason reason) {
    long frame = v.address[i];
    int l3 = v.l3[i];
    int l4 = v.l4[i];
    int bytes = v.l4Length[i];
    if (!checksumCorrect(v, i)) {
      v.drop(i, DropReason.BAD_L4_CHECKSUM);
    } else if (v.protocol[i] != IpProtocol.TCP
        || (v.flags[i] & PacketVector.FIRST_FRAGMENT) != 0
        || !mayReport(v, i)
        || !Answer.mayReset(frame + l4)) {
      v.drop(i, reason);
    } else if (ipv6(v, i)) {
      int length = Answer.resetV6(frame, l3, l4, bytes);
      answered(v, i, frame, length, l3 + Ipv6.HEADER, IpProtocol.TCP, reason);
      v.ports[i] = Tcp.ports(frame + v.l4[i]);
    } else {
      int length = Answer.resetV4(frame, l3, l4, bytes);
      answered(v, i, frame, length, l3 + Ipv4.HEADER, IpProtocol.TCP, reason);
      v.ports[i] = Tcp.ports(frame + v.l4[i]);
    }
  }

  /**
   * Echo reply from the address that was asked. False, with nothing changed, when the packet is no
   * whole, correct echo request for a single address.
   */
  public boolean echoReply(PacketVector v, int i) {
    long frame = v.address[i];
    int l4 = v.l4[i];
    int protocol = v.protocol[i];
    boolean v6 = ipv6(v, i);
    int request = v6 ? Icmpv6.ECHO : Icmp.ECHO;
    if (protocol != (v6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP)
        || Icmp.type(frame + l4) != request
        || (v.flags[i] & PacketVector.FIRST_FRAGMENT) != 0
        || !mayReport(v, i)
        || !checksumCorrect(v, i)) {
      return false;
    }
    if (v6) {
      if (l4 != v.l3[i] + Ipv6.HEADER) {
        return false; // a routing header is not ours to turn round
      }
      Answer.echoReplyV6(frame, v.l3[i], l4);
    } else {
      Answer.echoReplyV4(frame, v.l3[i], l4);
    }
    int ports = v.ports[i];
    answered(v, i, frame, v.length[i], l4, protocol, DropReason.INTERNAL);
    v.ports[i] = ports;
    v.dropReason[i] = 0;
    return true;
  }

  private void report(
      PacketVector v,
      int i,
      TokenBucket bucket,
      int type4,
      int code4,
      int type6,
      int code6,
      int rest,
      DropReason reason) {
    OwnAddresses from = own;
    if (!ipv6(v, i)) {
      int source = from.ipv4() == 0 ? Answer.DUMMY_V4 : from.ipv4();
      errorV4(v, i, bucket, type4, code4, rest, source, reason);
    } else if (from.hasIpv6()) {
      errorV6(v, i, bucket, type6, code6, rest, from.ipv6High(), from.ipv6Low(), reason);
    } else {
      v.drop(i, reason);
    }
  }

  private void errorV4(
      PacketVector v,
      int i,
      TokenBucket bucket,
      int type,
      int code,
      int rest,
      int source,
      DropReason reason) {
    if (!mayReport(v, i) || !headroom(v, i, Answer.PUSH_V4) || !bucket.take(clock.nanoTime())) {
      v.drop(i, reason);
      return;
    }
    completeQuoted(v, i);
    long frame = v.address[i];
    int l3 = v.l3[i];
    int length = Answer.icmpV4(frame, l3, type, code, rest, source);
    int l4 = l3 + Ipv4.HEADER;
    answered(v, i, frame - Answer.PUSH_V4, length, l4, IpProtocol.ICMP, reason);
    v.flags[i] |= PacketVector.ICMP_ERROR;
  }

  private void errorV6(
      PacketVector v,
      int i,
      TokenBucket bucket,
      int type,
      int code,
      int rest,
      long high,
      long low,
      DropReason reason) {
    if (!mayReport(v, i) || !headroom(v, i, Answer.PUSH_V6) || !bucket.take(clock.nanoTime())) {
      v.drop(i, reason);
      return;
    }
    completeQuoted(v, i);
    long frame = v.address[i];
    int l3 = v.l3[i];
    int length = Answer.icmpV6(frame, l3, type, code, rest, high, low);
    answered(v, i, frame - Answer.PUSH_V6, length, l3 + Ipv6.HEADER, IpProtocol.ICMPV6, reason);
    v.flags[i] |= PacketVector.ICMP_ERROR;
  }

  private static boolean mayReport(PacketVector v, int i) {
    int flags = v.flags[i];
    long frame = v.address[i];
    long l3 = frame + v.l3[i];
    boolean later = (flags & PacketVector.LATER_FRAGMENT) != 0;
    boolean error = (flags & PacketVector.ICMP_ERROR) != 0;
    if (!ipv6(v, i)) {
      return Answer.mayReportV4(frame, l3, error, later);
    }
    boolean redirect =
        !later
            && v.protocol[i] == IpProtocol.ICMPV6
            && Icmpv6.type(frame + v.l4[i]) == Icmpv6.REDIRECT;
    return Answer.mayReportV6(frame, l3, error || redirect, later);
  }

  private static boolean headroom(PacketVector v, int i, int push) {
    return v.address[i] - v.frame[i] >= push + TX_METADATA;
  }

  /** A quote is to look as it would have on a wire, where a device had cut and completed it. */
  private void completeQuoted(PacketVector v, int i) {
    if (v.segmentSize[i] != 0) {
      segmenter.begin(v, i);
      int bytes = segmenter.next(v.address[i]); // onto itself: the first segment is what is left
      v.length[i] = bytes;
      v.l4Length[i] = bytes - v.l4[i];
      v.segmentSize[i] = 0;
    }
    if ((v.flags[i] & PacketVector.PARTIAL_CHECKSUM) != 0) {
      Checksum.complete(v.address[i] + v.l4[i], v.l4Length[i], v.csumOffset[i]);
    }
  }

  /** True when there is nothing to verify: partial, absent, in fragments, or of no kind we know. */
  @SuppressWarnings("StatementSwitchToExpressionSwitch") // it ends in three ways
  private static boolean checksumCorrect(PacketVector v, int i) {
    int unverifiable =
        PacketVector.PARTIAL_CHECKSUM | PacketVector.LATER_FRAGMENT | PacketVector.FIRST_FRAGMENT;
    if ((v.flags[i] & unverifiable) != 0) {
      return true;
    }
    long l3 = v.address[i] + v.l3[i];
    long l4 = v.address[i] + v.l4[i];
    int protocol = v.protocol[i];
    int bytes = v.l4Length[i];
    switch (protocol) {
      case IpProtocol.ICMP:
        return Checksum.correct(l4, bytes, 0);
      case IpProtocol.UDP:
        if (Udp.checksum(l4) == 0) {
          return true;
        }
        bytes = Udp.length(l4);
        break;
      case IpProtocol.TCP, IpProtocol.ICMPV6:
        break;
      default:
        return true;
    }
    int pseudoHeader =
        ipv6(v, i)
            ? Checksum.pseudoHeaderV6(l3, protocol, bytes)
            : Checksum.pseudoHeaderV4(l3, protocol, bytes);
    return Checksum.correct(l4, bytes, pseudoHeader);
  }

  private static boolean ipv6(PacketVector v, int i) {
    return (v.flags[i] & PacketVector.IPV6) != 0;
  }

  private static void answered(
      PacketVector v, int i, long frame, int length, int l4, int protocol, DropReason reason) {
    v.address[i] = frame;
    v.length[i] = length;
    v.l4[i] = l4;
    v.l4Length[i] = length - l4;
    v.protocol[i] = protocol;
    v.ports[i] = 0;
    v.csumOffset[i] = 0;
    v.segmentSize[i] = 0;
    v.flags[i] &= KEPT;
    v.flow[i] = 0;
    v.outPort[i] = v.inPort[i];
    v.verdict[i] = Verdict.ANSWER;
    v.dropReason[i] = reason.code();
  }
}
