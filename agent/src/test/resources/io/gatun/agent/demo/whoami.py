"""Servers that say who they are and whom they see; clients that ask. Exit 1 and a reason on failure.

serve NAME PORT...                  TCP and UDP, both families: answers "NAME PORT PEER"
ask PROTOCOL ADDRESS PORT COUNT     COUNT new connections (or sockets): one answer a line, or the error
churn SECONDS ADDRESS:PORT:EXPECTED ...   new TCP connections to random ones, UDP beside; prints
                                    "connections wrong failed datagrams wrong lost"
"""

import random
import socket
import sys
import threading
import time


def plain(address):
    return address[7:] if address.startswith("::ffff:") else address


def serve(name, ports):
    def tcp(port):
        server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
        while True:
            connection, peer = server.accept()
            try:
                connection.sendall(f"{name} {port} {plain(peer[0])}\n".encode())
                connection.close()
            except OSError:
                pass

    def udp(port):
        server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(("::", port))
        while True:
            _, peer = server.recvfrom(2048)
            server.sendto(f"{name} {port} {plain(peer[0])}\n".encode(), peer)

    for port in ports:
        threading.Thread(target=tcp, args=(port,), daemon=True).start()
        threading.Thread(target=udp, args=(port,), daemon=True).start()
    threading.Event().wait()


def ask(protocol, address, port, patience=2.0):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family, kind) as s:
        s.settimeout(patience)
        try:
            s.connect((address, port))
            if protocol == "udp":
                s.send(b"?")
            data = s.recv(2048)
            return data.decode().strip() if data else "closed"
        except socket.timeout:
            return "timeout"
        except ConnectionRefusedError:
            return "refused"
        except OSError as e:
            return "error " + e.strerror.replace(" ", "-")


def churn(seconds, targets):
    end = time.monotonic() + seconds
    counts = [0] * 6
    first = []

    def run(protocol, at, pause):
        while time.monotonic() < end:
            address, port, expected = random.choice(targets)
            answer = ask(protocol, address, int(port)).split()
            counts[at] += 1
            if len(answer) != 3:
                counts[at + 2] += 1
                first.append(" ".join(answer))
            elif answer[1] != expected:
                counts[at + 1] += 1
            time.sleep(pause)

    threads = [threading.Thread(target=run, args=("tcp", 0, 0.02)) for _ in range(3)]
    threads += [threading.Thread(target=run, args=("udp", 3, 0.005)) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(*counts, *sorted(set(first))[:5])


if __name__ == "__main__":
    command, rest = sys.argv[1], sys.argv[2:]
    if command == "serve":
        serve(rest[0], [int(p) for p in rest[1:]])
    elif command == "ask":
        for _ in range(int(rest[3])):
            print(ask(rest[0], rest[1], int(rest[2])))
    else:
        churn(float(rest[0]), [t.rsplit(":", 2) for t in rest[1:]])
