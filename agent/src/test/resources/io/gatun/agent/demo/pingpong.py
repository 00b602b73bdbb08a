"""
pingpong.py serve PORT                    sends back what comes, TCP and UDP
pingpong.py talk ADDRESS PORT SECONDS     one connection, 100 bytes there and back again and again: prints
                                          "COUNT RETRANSMISSIONS", or what went wrong
pingpong.py connect ADDRESS PORT SECONDS  connection after connection, 20 ms apart: prints "COUNT FAILURES"
pingpong.py flows ADDRESS PORT COUNT      asks by COUNT UDP sockets each time a line comes: prints who answered each
pingpong.py name NAME PORT                answers each datagram with NAME
"""
import socket
import struct
import sys
import threading
import time


def serve(port):
    tcp = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.bind(("::", port))

    def datagrams():
        while True:
            data, peer = udp.recvfrom(65535)
            udp.sendto(data, peer)

    def echo(connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass

    threading.Thread(target=datagrams, daemon=True).start()
    while True:
        connection, _ = tcp.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=echo, args=(connection,), daemon=True).start()


def talk(address, port, seconds):
    with socket.create_connection((address, port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        count = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            connection.sendall(b"x" * 100)
            left = 100
            while left:
                left -= len(connection.recv(left)) or sys.exit("closed after %d" % count)
            count += 1
            time.sleep(0.005)
        # struct tcp_info: total_retrans is the word at 100
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        print(count, struct.unpack_from("I", info, 100)[0])


def connect(address, port, seconds):
    count = failures = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection((address, port), timeout=3) as connection:
                connection.sendall(b"hello")
                if connection.recv(5) != b"hello":
                    failures += 1
        except OSError as e:
            print(e, file=sys.stderr)
            failures += 1
        count += 1
        time.sleep(0.02)
    print(count, failures)


def flows(address, port, count):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sockets = []
    for _ in range(count):
        one = socket.socket(family, socket.SOCK_DGRAM)
        one.connect((address, port))
        one.settimeout(2)
        sockets.append(one)
    for _ in sys.stdin:
        answers = []
        for one in sockets:
            answer = "-"
            for _ in range(3):
                try:
                    one.send(b"who")
                    answer = one.recv(100).decode()
                    break
                except OSError:
                    pass
            answers.append(answer)
        print(" ".join(answers), flush=True)


def name(own, port):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("10.80.0.1", port))
    while True:
        _, peer = udp.recvfrom(100)
        udp.sendto(own.encode(), peer)


what, *rest = sys.argv[1:]
if what == "serve":
    serve(int(rest[0]))
elif what == "name":
    name(rest[0], int(rest[1]))
else:
    {"talk": talk, "connect": connect, "flows": flows}[what](rest[0], int(rest[1]), int(rest[2]))
