#!/usr/bin/env python3
"""
Writes exact-frames.txt: what goes into a node and what has to come out, byte for byte, computed by scapy and by
nothing of Gatun's. Run it by hand when a row is added (needs scapy):

    python3 nat-lb/src/test/scapy/exact_frames.py > nat-lb/src/test/resources/io/gatun/service/exact-frames.txt

The node (ExactBytesTest builds it): port 0 is a pod's veth, port 1 the uplink. Rows run in order, on one node.
"""
import struct

from scapy.all import (
    IP, TCP, UDP, ICMP, Dot1Q, Ether, ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6PacketTooBig,
    ICMPv6TimeExceeded, IPOption_NOP, IPv6, IPv6ExtHdrDestOpt, PadN, Raw)

OURS = {0: "ee:ee:ee:ee:ee:ee", 1: "02:aa:00:00:00:01"}
THEIRS = {0: "02:cc:00:00:00:02", 1: "02:bb:00:00:00:01"}


class Family:
    def __init__(self, six):
        self.six = six
        self.name = "IPv6" if six else "IPv4"
        net = lambda four, v6: v6 if six else four
        self.client = net("10.1.0.2", "fd01::2")         # a pod at port 0
        self.other = net("10.1.0.3", "fd01::3")          # another pod there
        self.endpoint = net("10.2.0.3", "fd02::3")       # behind the uplink, target port 8080
        self.outside = net("192.0.2.9", "2001:db8::9")   # behind the uplink
        self.front = net("10.96.0.10", "fd96::10")       # ClusterIP, TCP and UDP 80
        self.empty = net("10.96.0.20", "fd96::20")       # ClusterIP without endpoints
        self.nobody = net("10.96.7.7", "fd96::77")       # in the Service CIDR, nobody's
        self.self = net("10.96.0.30", "fd96::30")        # ClusterIP, TCP 80, endpoint: the client itself
        self.node = net("192.168.0.2", "fd00::2")        # NodePort 30080, masqueraded
        self.black = net("10.9.0.1", "fd09::1")
        self.silent = net("10.8.0.1", "fd08::1")         # next hop unknown
        self.narrow = net("10.7.0.1", "fd07::1")         # MTU 88

    def ip(self, src, dst, ttl=64, **more):
        if self.six:
            return IPv6(src=src, dst=dst, hlim=ttl, **more)
        more.setdefault("id", 7)
        return IP(src=src, dst=dst, ttl=ttl, flags="DF", **more)

    def error(self, dst, message4, message6, quoted, src=None):
        src = src or self.node
        if self.six:
            return IPv6(src=src, dst=dst, hlim=64) / message6 / Raw(bytes(quoted))
        return IP(src=src, dst=dst, ttl=64, id=0, flags="DF", tos=0xC0) / message4 / Raw(bytes(quoted))


def one_hop(packet):
    """After a hop more."""
    if isinstance(packet, IPv6):
        packet.hlim -= 1
    else:
        packet.ttl -= 1
    return packet


def frame(port, packet, to_us, tag=None):
    """To us, or from us."""
    ether = Ether(src=THEIRS[port], dst=OURS[port]) if to_us else Ether(src=OURS[port], dst=THEIRS[port])
    return bytes(ether / Dot1Q(vlan=tag) / packet if tag else ether / packet)


def partial(packet):
    """As a local stack hands it to a device that promised to fill in the checksum: the pseudo-header's sum alone."""
    data = bytearray(bytes(packet))
    six = data[0] >> 4 == 6
    l4 = 40 if six else 20
    protocol = data[6] if six else data[9]
    addresses = data[8:40] if six else data[12:20]
    words = addresses + struct.pack("!I", len(data) - l4) + struct.pack("!I", protocol)
    total = sum(struct.unpack("!%dH" % (len(words) // 2), bytes(words)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    at = l4 + (16 if protocol == 6 else 6)
    data[at:at + 2] = struct.pack("!H", total)
    return Raw(bytes(data))


def row(name, port, packet, end, *, out=None, answer=None, tag=None, pad=0, raw=None, flags=""):
    six = " IPv6" in name
    data = raw if raw is not None else wire(port, packet, True, six, tag) + bytes(pad)
    print(name)
    print("  in %d %s" % (port, data.hex()))
    if out is not None:
        print("  %s %d %s%s" % (end, out, wire(out, answer, False, six).hex(), flags))
    else:
        print("  drop %s" % end)


def wire(port, packet, to_us, six, tag=None):
    data = frame(port, packet, to_us, tag)
    if isinstance(packet, Raw):  # scapy cannot know what it is
        data = data[:12] + (b"\x86\xdd" if six else b"\x08\x00") + data[14:]
    return data


def changed(data, **at):
    data = bytearray(data)
    for key, value in at.items():
        data[int(key[1:])] = value
    return bytes(data)


def sealed(data):
    """The IPv4 header's checksum put right after a change, so that only the change is wrong."""
    data = bytearray(data)
    data[24:26] = b"\0\0"
    header = data[14:14 + (data[14] & 15) * 4]
    total = sum(struct.unpack("!%dH" % (len(header) // 2), bytes(header)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    data[24:26] = struct.pack("!H", ~total & 0xFFFF)
    return bytes(data)


def rows(f):
    n = ", " + f.name
    body = Raw(b"gatun says hello")
    tcp = lambda s, d, flags, seq=1000, ack=0, **k: TCP(sport=s, dport=d, flags=flags, seq=seq, ack=ack, window=8192, **k)

    # TCP through a ClusterIP, both ways
    row("miss: a SYN to a ClusterIP opens a flow" + n, 0,
        f.ip(f.client, f.front) / tcp(40000, 80, "S", options=[("MSS", 1460)]), "send", out=1,
        answer=f.ip(f.client, f.endpoint, 63) / tcp(40000, 8080, "S", options=[("MSS", 1460)]))
    row("reply: SYN and ACK come from the front" + n, 1,
        f.ip(f.endpoint, f.client, 63) / tcp(8080, 40000, "SA", 5000, 1001), "send", out=0,
        answer=f.ip(f.front, f.client, 62) / tcp(80, 40000, "SA", 5000, 1001))
    row("hit: data to the endpoint" + n, 0,
        f.ip(f.client, f.front) / tcp(40000, 80, "PA", 1001, 5001) / body, "send", out=1,
        answer=f.ip(f.client, f.endpoint, 63) / tcp(40000, 8080, "PA", 1001, 5001) / body)
    row("hit: a checksum that a device was to fill in is passed on so" + n, 0,
        partial(f.ip(f.client, f.front) / tcp(40000, 80, "PA", 1017, 5001) / body), "send", out=1, flags=" partial",
        answer=partial(f.ip(f.client, f.endpoint, 63) / tcp(40000, 8080, "PA", 1017, 5001) / body))
    row("hit: a tag goes, and what Ethernet padded" + n, 1,
        f.ip(f.endpoint, f.client, 63) / tcp(8080, 40000, "A", 5001, 1033), "send", out=0, tag=9, pad=6,
        answer=f.ip(f.front, f.client, 62) / tcp(80, 40000, "A", 5001, 1033))
    if f.six:
        options = IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])
        row("hit: behind an extension header" + n, 0,
            f.ip(f.client, f.front) / options / tcp(40000, 80, "A", 1033, 5001), "send", out=1,
            answer=f.ip(f.client, f.endpoint, 63) / options / tcp(40000, 8080, "A", 1033, 5001))
    else:
        options = [IPOption_NOP() for _ in range(8)]
        row("hit: behind IP options" + n, 0,
            f.ip(f.client, f.front, options=options) / tcp(40000, 80, "A", 1033, 5001), "send", out=1,
            answer=f.ip(f.client, f.endpoint, 63, options=options) / tcp(40000, 8080, "A", 1033, 5001))

    # UDP
    row("miss: a datagram to a ClusterIP" + n, 0, f.ip(f.client, f.front) / UDP(sport=5353, dport=80) / body,
        "send", out=1, answer=f.ip(f.client, f.endpoint, 63) / UDP(sport=5353, dport=8080) / body)
    row("reply: a datagram from the endpoint" + n, 1, f.ip(f.endpoint, f.client) / UDP(sport=8080, dport=5353) / body,
        "send", out=0, answer=f.ip(f.front, f.client, 63) / UDP(sport=80, dport=5353) / body)
    if not f.six:
        row("hit: a datagram without a checksum stays without" + n, 0,
            f.ip(f.client, f.front) / UDP(sport=5353, dport=80, chksum=0) / body, "send", out=1,
            answer=f.ip(f.client, f.endpoint, 63) / UDP(sport=5353, dport=8080, chksum=0) / body)

    # Masquerade: 61000 is the only port that the node may take
    row("masquerade: a NodePort from outside" + n, 1, f.ip(f.outside, f.node) / tcp(41000, 30080, "S"),
        "send", out=1, answer=f.ip(f.node, f.endpoint, 63) / tcp(61000, 8080, "S"))
    row("masquerade: the reply finds its client" + n, 1, f.ip(f.endpoint, f.node) / tcp(8080, 61000, "SA", 7000, 1001),
        "send", out=1, answer=f.ip(f.node, f.outside, 63) / tcp(30080, 41000, "SA", 7000, 1001))
    row("masquerade: established" + n, 1, f.ip(f.outside, f.node) / tcp(41000, 30080, "PA", 1001, 7001) / body,
        "send", out=1, answer=f.ip(f.node, f.endpoint, 63) / tcp(61000, 8080, "PA", 1001, 7001) / body)
    row("hairpin: a pod that meets itself sees the node" + n, 0, f.ip(f.client, f.self) / tcp(42000, 80, "S"),
        "send", out=0, answer=f.ip(f.node, f.client, 63) / tcp(61000, 8080, "S"))
    row("hairpin: its reply" + n, 0, f.ip(f.client, f.node) / tcp(8080, 61000, "SA", 1, 1001),
        "send", out=0, answer=f.ip(f.self, f.client, 63) / tcp(80, 42000, "SA", 1, 1001))

    # Not a Service
    row("not a Service: routed" + n, 0, f.ip(f.client, f.endpoint) / tcp(43000, 8080, "PA", 1, 1) / body,
        "send", out=1, answer=f.ip(f.client, f.endpoint, 63) / tcp(43000, 8080, "PA", 1, 1) / body)
    row("not a Service: routed back, nothing translated" + n, 1, f.ip(f.endpoint, f.client, 2) / UDP(sport=1, dport=2) / body,
        "send", out=0, answer=f.ip(f.endpoint, f.client, 1) / UDP(sport=1, dport=2) / body)
    row("not a Service: any protocol" + n, 0,
        f.ip(f.client, f.endpoint, **({"nh": 50} if f.six else {"proto": 50})) / body,
        "send", out=1, answer=f.ip(f.client, f.endpoint, 63, **({"nh": 50} if f.six else {"proto": 50})) / body)
    lost = f.ip(f.client, "2001:db9::1" if f.six else "203.0.113.1") / UDP(sport=1, dport=2)
    row("not a Service: no route" + n, 0, lost, "answer", out=0,
        answer=f.error(f.client, ICMP(type=3, code=0), ICMPv6DestUnreach(code=0), lost))
    row("not a Service: a black hole" + n, 0, f.ip(f.client, f.black) / UDP(sport=1, dport=2), "blackhole_route")
    row("not a Service: a silent neighbour" + n, 0, f.ip(f.client, f.silent) / UDP(sport=1, dport=2), "no_neighbour")

    # TTL and MTU
    spent = f.ip(f.client, f.endpoint, 1) / UDP(sport=1, dport=2) / body
    row("TTL: it ran out here" + n, 0, spent, "answer", out=0,
        answer=f.error(f.client, ICMP(type=11, code=0), ICMPv6TimeExceeded(code=0), spent))
    row("TTL: the error quotes what a device would have completed" + n, 0,
        partial(f.ip(f.client, f.endpoint, 1) / UDP(sport=3, dport=4) / body), "answer", out=0,
        answer=f.error(f.client, ICMP(type=11, code=0), ICMPv6TimeExceeded(code=0),
                       f.ip(f.client, f.endpoint, 1) / UDP(sport=3, dport=4) / body))
    late = f.ip(f.client, f.front, 1) / UDP(sport=5353, dport=80) / body
    row("TTL: the error about a translated packet quotes what its sender sent" + n, 0, late, "answer", out=0,
        answer=f.error(f.client, ICMP(type=11, code=0), ICMPv6TimeExceeded(code=0), late))
    translated = f.ip(f.client, f.endpoint, 62) / UDP(sport=5353, dport=8080) / body
    original = f.ip(f.client, f.front, 62) / UDP(sport=5353, dport=80) / body
    for who, source, seen in (("the endpoint", f.endpoint, f.front), ("a router", f.outside, f.outside)):
        row("an ICMP error of %s is about the front" % who + n, 1,
            f.error(f.client, ICMP(type=3, code=3), ICMPv6DestUnreach(code=4), translated, source), "send", out=0,
            answer=one_hop(f.error(f.client, ICMP(type=3, code=3), ICMPv6DestUnreach(code=4), original, seen)))
    big = f.ip(f.client, f.narrow) / UDP(sport=1, dport=2) / Raw(bytes(range(80)))
    row("MTU: too big for the way out" + n, 0, big, "answer", out=0,
        answer=f.error(f.client, ICMP(type=3, code=4, nexthopmtu=88), ICMPv6PacketTooBig(mtu=88), big))
    error = f.error(f.endpoint, ICMP(type=3, code=1), ICMPv6DestUnreach(code=3), f.ip(f.endpoint, f.client) / UDP(sport=1, dport=2), f.client)
    setattr(error, "hlim" if f.six else "ttl", 1)
    row("TTL: an ICMP error is not answered" + n, 0, error, "ttl_exceeded")

    # Service addresses that serve nobody
    asked = f.ip(f.client, f.empty) / tcp(44000, 80, "S")
    row("Service without endpoints: rejected from its own address" + n, 0, asked, "answer", out=0,
        answer=f.error(f.client, ICMP(type=3, code=3), ICMPv6DestUnreach(code=4), asked, f.empty))
    asked = f.ip(f.client, f.front) / UDP(sport=1, dport=81) / body
    row("Service without that port: rejected" + n, 0, asked, "answer", out=0,
        answer=f.error(f.client, ICMP(type=3, code=3), ICMPv6DestUnreach(code=4), asked, f.front))
    row("Service CIDR, nobody's address" + n, 0, f.ip(f.client, f.nobody) / tcp(44000, 80, "S"), "unassigned_service_address")
    row("a segment without a flow is reset" + n, 0, f.ip(f.client, f.front) / tcp(45000, 80, "PA", 900, 800) / body,
        "answer", out=0, answer=f.ip(f.front, f.client, **({} if f.six else {"id": 0})) / TCP(sport=80, dport=45000, flags="R", seq=800, ack=0, window=0))
    row("a wrong checksum is not answered" + n, 0, f.ip(f.client, f.empty) / UDP(sport=1, dport=80, chksum=0x1234) / body, "bad_l4_checksum")
    if f.six:
        row("a Service answers ping" + n, 0, f.ip(f.client, f.front, 9) / ICMPv6EchoRequest(id=5, seq=6, data=b"ping!"),
            "answer", out=0, answer=f.ip(f.front, f.client) / ICMPv6EchoReply(id=5, seq=6, data=b"ping!"))
    else:
        row("a Service answers ping" + n, 0, f.ip(f.client, f.front, 9) / ICMP(type=8, id=5, seq=6) / b"ping!",
            "answer", out=0, answer=f.ip(f.front, f.client) / ICMP(type=0, id=5, seq=6) / b"ping!")

    # Malformed
    good = frame(0, f.ip(f.client, f.front) / tcp(46000, 80, "S") / body, True)
    udp = frame(0, f.ip(f.client, f.front) / UDP(sport=1, dport=80) / body, True)
    l4 = 54 if f.six else 34
    cut = lambda name, data, reason: row("malformed: " + name + n, 0, None, reason, raw=data)
    cut("an empty frame", b"", "frame_too_short")
    cut("half an Ethernet header", good[:13], "frame_too_short")
    cut("half a tag", good[:12] + b"\x81\x00\x00\x09", "frame_too_short")
    cut("an ethertype of its own", changed(good, _12=0x88, _13=0xb5), "unknown_ethertype")
    cut("half an IP header", good[:14 + 19], "bad_ip_header")
    cut("a version of its own", changed(good, _14=0x55), "bad_ip_header")
    cut("the other version under this ethertype", changed(good, _14=0x45 if f.six else 0x60), "bad_ip_header")
    cut("longer than the frame", changed(good, _19=good[19] + 1) if f.six else sealed(changed(good, _17=good[17] + 1)), "bad_ip_header")
    cut("half a transport header", cut_to(good, l4 + 12, f.six), "bad_l4_header")
    cut("a TCP header longer than its packet", changed(good, **{"_%d" % (l4 + 12): 0xF0}), "bad_l4_header")
    cut("a TCP header shorter than itself", changed(good, **{"_%d" % (l4 + 12): 0x40}), "bad_l4_header")
    cut("a UDP length beyond the packet", changed(udp, **{"_%d" % (l4 + 5): 200}), "bad_l4_header")
    cut("a UDP length below its header", changed(udp, **{"_%d" % (l4 + 5): 7}), "bad_l4_header")
    if f.six:
        cut("a source that is a group", changed(good, _22=0xFF), "bad_ip_address")
        chain = changed(good, _20=60)
        cut("an extension header that ends nowhere", changed(chain, _55=255), "bad_extension_header")
    else:
        cut("a header of 16 bytes", changed(good, _14=0x44), "bad_ip_header")
        cut("a total length below the header", sealed(changed(good, _17=19)), "bad_ip_header")
        cut("a wrong header checksum", changed(good, _25=good[25] ^ 1), "bad_ip_checksum")
        cut("a source that is a group", sealed(changed(good, _26=0xE0)), "bad_ip_address")
        cut("a source that is loopback", sealed(changed(good, _26=127)), "bad_ip_address")


def cut_to(data, length, six):
    """Cut, and the IP length says so too."""
    data = data[:length]
    if six:
        return changed(data, _18=(length - 54) >> 8, _19=(length - 54) & 255)
    return sealed(changed(data, _16=(length - 14) >> 8, _17=(length - 14) & 255))


print("# Written by src/test/scapy/exact_frames.py. A row: its name; what comes in at which port; how it ends (send,")
print("# answer: at which port which bytes leave; drop: the reason). Rows run in order, on one node.")
rows(Family(False))
rows(Family(True))
