#!/usr/bin/env python3
"""
Writes captured-frames.txt: what is sent in one namespace of the lab, and what tcpdump has to see arrive in another,
computed by scapy and by nothing of Gatun's. Run it by hand when a row is added (needs scapy):

    python3 agent/src/test/scapy/captured_frames.py > agent/src/test/resources/io/gatun/agent/demo/captured-frames.txt

CaptureIT runs node-a with the Service that it writes: UDP, ClusterIP port 7, NodePort 30070, endpoint web-1:7007.
"""
from scapy.all import IP, UDP, ICMP, Ether, ICMPv6TimeExceeded, IPv6, Raw

HOST = "ee:ee:ee:ee:ee:ee"
MAC = {"client-a": "02:00:0a:f4:00:10", "web-1": "02:00:0a:f4:00:11", "outside": "02:00:c0:a8:00:64"}
NODE_MAC = {"client-a": HOST, "web-1": HOST, "outside": "02:00:c0:a8:00:11"}


def rows(six):
    name = ", IPv6" if six else ", IPv4"
    client = "fd00:244:0::10" if six else "10.244.0.10"
    web = "fd00:244:0::11" if six else "10.244.0.11"
    front = "fd00:96::90" if six else "10.96.0.90"
    node = "fd00:168::11" if six else "192.168.0.11"
    outside = "fd00:168::100" if six else "192.168.0.100"

    def ip(src, dst, ttl=64):
        return IPv6(src=src, dst=dst, hlim=ttl) if six else IP(src=src, dst=dst, ttl=ttl, id=4711, flags="DF")

    def udp(src, dst, sport, dport, text, ttl=64):
        return ip(src, dst, ttl) / UDP(sport=sport, dport=dport) / Raw(text)

    def row(what, at, packet, seen_at=None, seen=None):
        print(what + name)
        print("  send %s %s" % (at, bytes(Ether(src=MAC[at], dst=NODE_MAC[at]) / packet).hex()))
        print("  see %s %s" % (seen_at, bytes(Ether(src=NODE_MAC[seen_at], dst=MAC[seen_at]) / seen).hex()) if seen_at else "  see nobody")

    row("a new flow", "client-a", udp(client, front, 5000, 7, b"one"), "web-1", udp(client, web, 5000, 7007, b"one", 63))
    row("a flow that is there", "client-a", udp(client, front, 5000, 7, b"two"), "web-1", udp(client, web, 5000, 7007, b"two", 63))
    row("a reply", "web-1", udp(web, client, 7007, 5000, b"three"), "client-a", udp(front, client, 7, 5000, b"three", 63))
    row("a new flow, masqueraded", "outside", udp(outside, node, 5001, 30070, b"four"), "web-1", udp(node, web, 5001, 7007, b"four", 63))
    row("a reply to a masqueraded flow", "web-1", udp(web, node, 7007, 5001, b"five"), "outside", udp(node, outside, 30070, 5001, b"five", 63))
    row("no Service", "client-a", udp(client, web, 5002, 9, b"six"), "web-1", udp(client, web, 5002, 9, b"six", 63))
    spent = udp(client, web, 5003, 9, b"seven", 1)
    error = (IPv6(src=node, dst=client, hlim=64) / ICMPv6TimeExceeded() if six
             else IP(src=node, dst=client, ttl=64, id=0, flags="DF", tos=0xC0) / ICMP(type=11)) / Raw(bytes(spent))
    row("no hop left", "client-a", spent, "client-a", error)
    bad = udp(client, web, 5004, 9, b"eight")
    bad[UDP].len = 99
    row("a length that lies", "client-a", bad)


print("# Written by src/test/scapy/captured_frames.py. A row: its name; what is sent in which namespace; what arrives where.")
rows(False)
rows(True)
