"""
pulse ADDRESS MILLISECONDS: an ICMP echo every 5 ms. Prints: answered, sent, the longest time without an answer
in milliseconds, how long before the end the last answer came, and how late this process itself was at worst.
"""
import os
import select
import socket
import struct
import sys
import time

STEP = 0.005
address, length = sys.argv[1], int(sys.argv[2]) / 1000
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
raw.connect((address, 0))
raw.setblocking(False)
mine = struct.pack("!H", os.getpid() & 0xFFFF)


def echo(sequence):
    body = struct.pack("!BBH", 8, 0, 0) + mine + struct.pack("!H", sequence & 0xFFFF)
    total = sum(struct.unpack("!4H", body))
    total = (total & 0xFFFF) + (total >> 16)
    raw.send(body[:2] + struct.pack("!H", ~total & 0xFFFF) + body[4:])


start = last = time.monotonic()
sent = answered = 0
gap = late = 0.0
while (now := time.monotonic()) < start + length:
    if now >= start + sent * STEP:
        late = max(late, now - start - sent * STEP)
        try:
            echo(sent)
        except OSError:
            pass  # no route for the moment: a gap like any other
        sent += 1
    if select.select([raw], [], [], max(0, start + sent * STEP - time.monotonic()))[0]:
        answer = raw.recv(2048)[20:]
        if answer[0] == 0 and answer[4:6] == mine:
            now = time.monotonic()
            gap, last, answered = max(gap, now - last), now, answered + 1
end = time.monotonic()
print(answered, sent, round(max(gap, end - last) * 1000), round((end - last) * 1000), round(late * 1000))
