"""ping ADDRESS COUNT: ICMP echo, 10 ms apart. Prints: answered, sent, mean round trip in microseconds."""
import ipaddress
import os
import select
import socket
import struct
import sys
import time

address, count = sys.argv[1], int(sys.argv[2])
v6 = ipaddress.ip_address(address).version == 6
family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if v6 else (socket.AF_INET, socket.IPPROTO_ICMP)
request, reply, skip = (128, 129, 0) if v6 else (8, 0, 20)  # a raw IPv4 socket shows its 20-byte header
raw = socket.socket(family, socket.SOCK_RAW, protocol)
raw.connect((address, 0))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


answered, spent = 0, 0.0
for sequence in range(count):
    body = struct.pack("!BBHHH", request, 0, 0, os.getpid() & 0xFFFF, sequence) + bytes(range(56))
    start = time.monotonic()
    raw.send(body[:2] + struct.pack("!H", checksum(body)) + body[4:])  # ICMPv6: the kernel fills it in
    while True:
        left = start + 1 - time.monotonic()
        if left <= 0 or not select.select([raw], [], [], left)[0]:
            break
        answer = raw.recv(2048)[skip:]
        if answer[0] == reply and answer[4:] == body[4:]:
            answered, spent = answered + 1, spent + time.monotonic() - start
            break
    time.sleep(0.01)
print(answered, count, round(spent / max(answered, 1) * 1e6))
