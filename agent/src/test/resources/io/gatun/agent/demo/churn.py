"""Traffic for changing Services; each Service is told by the port of its endpoints.

serve FIRST COUNT        counts datagrams and connections at ports FIRST to FIRST+COUNT-1; once its
                         input ends, prints {"wrong": n, "datagrams": {port: {bin: n}},
                         "connections": {port: {bin: n}}}; a bin is a millisecond of CLOCK_MONOTONIC
flood SECONDS RATE FIRST ADDRESS...
                         RATE datagrams a second to port 80 of the addresses, from ever new sockets;
                         prints {"sent": n, "failed": [reason...]}
connect SECONDS RATE FIRST ADDRESS...
                         RATE connections a second to port 80 of the addresses; prints
                         {"connected": n, "wrong": n, "failed": {address: [reason...]}}
"""

import json
import random
import select
import socket
import sys
import threading
import time
from collections import defaultdict

PACKETS_PER_SOCKET = 50
SOCKETS = 100
SO_RCVBUFFORCE = 33


def millis():
    return time.monotonic_ns() // 1_000_000


def serve(first, count):
    poll = select.epoll()
    datagrams, connections = defaultdict(lambda: defaultdict(int)), defaultdict(lambda: defaultdict(int))
    wrong = 0
    sockets = {}
    for port in range(first, first + count):
        udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        udp.bind(("::", port))
        tcp = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
        tcp.setblocking(False)
        for s in (udp, tcp):
            sockets[s.fileno()] = (s, port, s is udp)
            poll.register(s, select.EPOLLIN)
    poll.register(sys.stdin, select.EPOLLIN | select.EPOLLHUP)
    print("serving", flush=True)
    while True:
        for fd, _ in poll.poll():
            if fd == sys.stdin.fileno():
                print(json.dumps({"wrong": wrong, "datagrams": datagrams, "connections": connections}), flush=True)
                return
            s, port, is_udp = sockets[fd]
            try:
                while is_udp:
                    data = s.recv(64)
                    wrong += int(data) != port
                    datagrams[port][millis()] += 1
                while True:
                    connection, _ = s.accept()
                    connections[port][millis()] += 1
                    connection.sendall(str(port).encode())
                    connection.close()
            except BlockingIOError:
                pass
            except OSError:
                pass


def flood(seconds, rate, first, addresses):
    begin = time.monotonic()
    sent, sockets, failed = 0, [], []
    while (now := time.monotonic()) < begin + seconds:
        while sent < (now - begin) * rate:
            if len(sockets) < SOCKETS:
                i = random.randrange(len(addresses))
                s = socket.socket(socket.AF_INET6 if ":" in addresses[i] else socket.AF_INET, socket.SOCK_DGRAM)
                s.connect((addresses[i], 80))
                sockets.append([s, str(first + i).encode(), 0])
            entry = sockets[sent % len(sockets)]
            try:
                entry[0].send(entry[1])
                sent += 1
            except OSError as e:
                failed.append(e.strerror)
            entry[2] += 1
            if entry[2] == PACKETS_PER_SOCKET:
                entry[0].close()
                sockets.remove(entry)
        time.sleep(0.005)
    print(json.dumps({"sent": sent, "failed": failed}))


def connect(seconds, rate, first, addresses):
    end = time.monotonic() + seconds
    result = {"connected": 0, "wrong": 0, "failed": defaultdict(list)}

    def run(pause):
        due = time.monotonic()
        while due < end:
            i = random.randrange(len(addresses))
            try:
                with socket.create_connection((addresses[i], 80), timeout=3) as s:
                    answer = s.recv(64).decode()
                    result["connected"] += 1
                    result["wrong"] += answer != str(first + i)
            except OSError as e:
                result["failed"][addresses[i]].append(f"{e} at {millis()}")
            due += pause
            time.sleep(max(0, due - time.monotonic()))

    threads = [threading.Thread(target=run, args=(4 / rate,)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(json.dumps(result))


if __name__ == "__main__":
    command, numbers = sys.argv[1], [int(a) for a in sys.argv[2:5] if "." not in a]
    if command == "serve":
        serve(*numbers)
    else:
        {"flood": flood, "connect": connect}[command](*numbers, sys.argv[5:])
