package io.gatun.pipeline;

/**
 * Up to 256 packets on their way through the stages: parallel primitive arrays, one column a fact.
 * A packet is an index. Owned by one worker, never shared; fields are public because every stage
 * reads and writes them, {@code for (int i = 0; i < v.size; i++)}.
 *
 * <pre>
 *   frame[i]  start of the chunk that holds the packet (what the frame pool gets back)
 *   address[i]                       l3[i]            l4[i]
 *   │                                │                │
 *   ▼ Ethernet, up to two VLAN tags  ▼ IPv4 or IPv6   ▼ TCP, UDP, ICMP …
 *   ├────────────────────────────────┼────────────────┼──────────── … ┤ address + length
 * </pre>
 *
 * {@code l3} and {@code l4} are offsets from {@code address} in bytes.
 */
public final class PacketVector {
  /** Packets a vector can hold: the largest burst of a port. */
  public static final int CAPACITY = 256;

  /** Flags: the packet is IPv6 (otherwise IPv4). */
  public static final int IPV6 = 1;

  /** The L4 checksum field holds only the pseudo-header sum; see {@link #csumOffset}. */
  public static final int PARTIAL_CHECKSUM = 1 << 1;

  /** A fragment that is not the first: there is no L4 header. */
  public static final int LATER_FRAGMENT = 1 << 2;

  /** The first fragment of several: there is an L4 header, and more will follow. */
  public static final int FIRST_FRAGMENT = 1 << 3;

  /** Translated by a flow: destination or source (or both) were rewritten. */
  public static final int TRANSLATED = 1 << 4;

  /** Opens a flow: TCP SYN without ACK (set by parse). */
  public static final int TCP_SYN = 1 << 5;

  /** Carries RST or FIN (set by parse). */
  public static final int TCP_END = 1 << 6;

  /** An ICMP or ICMPv6 error message, which quotes another packet. */
  public static final int ICMP_ERROR = 1 << 7;

  /**
   * Leaves through the tunnel that {@link #tunnel} names (set by route). Behind encapsulation only
   * super-frames have it: {@code l3} and {@code l4} are the inner packet's, and what is before it
   * stands before each segment, lengths still to be filled in.
   */
  public static final int TUNNEL = 1 << 8;

  /** IPv4, larger than the way out allows, and may be cut: see {@link #mtu} (set by route). */
  public static final int FRAGMENT = 1 << 9;

  /** Came out of a tunnel that ends here (set by decapsulation). */
  public static final int FROM_TUNNEL = 1 << 10;

  /** Stays on its bridge: out by {@link #outPort} as it is (set by switch). */
  public static final int SWITCHED = 1 << 11;

  /**
   * What the port said of segments and their checksums is about a packet inside this one (set by
   * parse). Decapsulation brings it out or drops this one: nothing else can be done with it.
   */
  public static final int INNER_OFFLOAD = 1 << 12;

  /** An ICMP or ICMPv6 message that is neither a query nor an error: of no flow (set by parse). */
  public static final int ICMP_OTHER = 1 << 13;

  /** Packets in this vector; columns at or above it are stale. */
  public int size;

  /** Frames beyond those received that stages added: the later pieces of what they cut. */
  public int made;

  public final long[] frame = new long[CAPACITY];
  public final long[] address = new long[CAPACITY];

  /** Bytes on the wire without FCS; up to 65,550 for super-frames. */
  public final int[] length = new int[CAPACITY];

  public final int[] flags = new int[CAPACITY];
  public final int[] inPort = new int[CAPACITY];
  public final int[] l3 = new int[CAPACITY];
  public final int[] l4 = new int[CAPACITY];

  /** IP protocol of the header at {@code l4}: 6, 17, 1, 58, 132 … */
  public final int[] protocol = new int[CAPACITY];

  /** Bytes from {@code l4} to the end of the IP packet (Ethernet padding excluded). */
  public final int[] l4Length = new int[CAPACITY];

  /**
   * Payload bytes of a segment of a super-frame (TCP, or UDP with USO), 0 when the packet is an
   * ordinary one.
   */
  public final int[] segmentSize = new int[CAPACITY];

  /**
   * Where the checksum of a packet with {@link #PARTIAL_CHECKSUM} starts, from {@code address}, as
   * the port said; parse proves that it is {@code l4}, and nobody looks at it afterwards.
   */
  public final int[] csumStart = new int[CAPACITY];

  /** Where in the L4 header the checksum stands (16 TCP, 6 UDP); with {@link #PARTIAL_CHECKSUM}. */
  public final int[] csumOffset = new int[CAPACITY];

  /**
   * Source and destination port (or ICMP identifier twice) in one int: {@code source << 16 |
   * destination}, host order; 0 where there is no L4 header.
   */
  public final int[] ports = new int[CAPACITY];

  /**
   * IPv4: {@code source << 32 | destination} as they arrived, host order; set by parse. IPv6: the
   * destination's last 64 bits, of {@link #SWITCHED} packets only.
   */
  public final long[] addresses = new long[CAPACITY];

  /** Hash of the five-tuple, direction-sensitive; computed once, by the track stage. */
  public final int[] hash = new int[CAPACITY];

  /** Address of the flow entry of this direction, 0 for none. */
  public final long[] flow = new long[CAPACITY];

  public final int[] verdict = new int[CAPACITY];

  /** {@link DropReason#code()}, valid with {@link Verdict#DROP}. */
  public final int[] dropReason = new int[CAPACITY];

  /** Way out: number of the port, valid with {@link Verdict#SEND}, HOST and ANSWER. */
  public final int[] outPort = new int[CAPACITY];

  /** Number of the tunnel to leave through; with {@link #TUNNEL}. */
  public final int[] tunnel = new int[CAPACITY];

  /** Bytes of the largest IP packet that the way out takes; with {@link #FRAGMENT}. */
  public final int[] mtu = new int[CAPACITY];

  /**
   * Whether any packet may have one of {@code wanted} flags: for stages that look at few packets.
   */
  public boolean mayHave(int wanted) {
    int all = 0;
    int[] f = flags;
    for (int i = 0, n = size; i < n; i++) {
      all |= f[i];
    }
    return (all & wanted) != 0;
  }

  /** Ends packet {@code i} for {@code reason}. */
  public void drop(int i, DropReason reason) {
    verdict[i] = Verdict.DROP;
    dropReason[i] = reason.code();
  }

  /** Appends an untouched packet, as a port's {@code rx} does; the caller has checked for room. */
  public void append(long frameStart, long packetAddress, int bytes, int port) {
    int i = size++;
    frame[i] = frameStart;
    address[i] = packetAddress;
    length[i] = bytes;
    inPort[i] = port;
    flags[i] = 0;
    segmentSize[i] = 0;
    verdict[i] = Verdict.CONTINUE;
    flow[i] = 0;
  }

  /** Appends packet {@code i} of {@code other}, all that is known of it; there must be room. */
  public void append(PacketVector other, int i) {
    int at = size++;
    frame[at] = other.frame[i];
    address[at] = other.address[i];
    length[at] = other.length[i];
    flags[at] = other.flags[i];
    inPort[at] = other.inPort[i];
    l3[at] = other.l3[i];
    l4[at] = other.l4[i];
    protocol[at] = other.protocol[i];
    l4Length[at] = other.l4Length[i];
    segmentSize[at] = other.segmentSize[i];
    csumStart[at] = other.csumStart[i];
    csumOffset[at] = other.csumOffset[i];
    ports[at] = other.ports[i];
    addresses[at] = other.addresses[i];
    hash[at] = other.hash[i];
    flow[at] = other.flow[i];
    verdict[at] = other.verdict[i];
    dropReason[at] = other.dropReason[i];
    outPort[at] = other.outPort[i];
    tunnel[at] = other.tunnel[i];
    mtu[at] = other.mtu[i];
  }
}
