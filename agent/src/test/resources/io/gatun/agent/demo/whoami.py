"""Servers that say who they are and whom they see; clients that ask.

serve NAME PORT...   TCP, UDP and SCTP, both families: answers "NAME PORT PEER"; says "serving" first
ask                  reads lines "PROTOCOL ADDRESS PORT COUNT"; makes COUNT new connections (or sends
                     from COUNT new sockets); prints a line of the different answers or errors, each
                     with how many there were: "web-1_8080_10.0.0.1=12 timeout=1"

SCTP is spoken in raw sockets, since few kernels have it: a packet of one INIT chunk, answered by a
packet of one whose parameter is the text; checksums are right or the packet is ignored.
"""

import collections
import random
import socket
import struct
import sys
import threading

SCTP = 132
PATIENCE = 2.0


def crc32c_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


CRC32C = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC32C[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def sctp_packet(source, destination, text):
    text += b"\0" * (-len(text) % 4)
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20 + len(text), 1, 65536, 1, 1, 1) + text
    head = struct.pack("!HHI", source, destination, 0)
    crc = struct.pack("<I", crc32c(head + bytes(4) + chunk))
    return head + crc + chunk


def sctp_parse(data):
    """(source port, destination port, text); None for what is no right packet."""
    if len(data) < 32:
        return None
    source, destination, _, crc = struct.unpack("!HHI4s", data[:12])
    if struct.pack("<I", crc32c(data[:8] + bytes(4) + data[12:])) != crc:
        return None
    return source, destination, data[32:].rstrip(b"\0")


def payload(data, family):
    return data[(data[0] & 15) * 4:] if family == socket.AF_INET else data


def plain(address):
    return address[7:] if address.startswith("::ffff:") else address


def serve(name, ports):
    def tcp(server):
        while True:
            connection, peer = server.accept()
            try:
                connection.sendall(f"{name} {connection.getsockname()[1]} {plain(peer[0])}\n".encode())
                connection.close()
            except OSError:
                pass

    def udp(server, port):
        while True:
            _, peer = server.recvfrom(2048)
            server.sendto(f"{name} {port} {plain(peer[0])}\n".encode(), peer)

    def sctp(server, family):
        while True:
            data, peer = server.recvfrom(2048)
            packet = sctp_parse(payload(data, family))
            if packet and packet[1] in ports and packet[2] == b"?":
                answer = f"{name} {packet[1]} {plain(peer[0])}".encode()
                server.sendto(sctp_packet(packet[1], packet[0], answer), (peer[0], 0))

    def start(what, *arguments):
        threading.Thread(target=what, args=arguments, daemon=True).start()

    for port in ports:
        start(tcp, socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024))
        server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(("::", port))
        start(udp, server, port)
    for family in (socket.AF_INET, socket.AF_INET6):
        start(sctp, socket.socket(family, socket.SOCK_RAW, SCTP), family)
    print("serving", flush=True)
    threading.Event().wait()


def ask_sctp(family, address, port):
    with socket.socket(family, socket.SOCK_RAW, SCTP) as s:
        s.settimeout(PATIENCE)
        s.connect((address, 0))  # and so hears of this peer alone
        mine = random.randrange(20000, 60000)
        s.send(sctp_packet(mine, port, b"?"))
        while True:
            packet = sctp_parse(payload(s.recv(2048), family))
            if packet and packet[0] == port and packet[1] == mine and packet[2] != b"?":
                return packet[2].decode()


def ask_socket(family, protocol, address, port):
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family, kind) as s:
        s.settimeout(PATIENCE)
        s.connect((address, port))
        if protocol == "udp":
            s.send(b"?")
        data = s.recv(2048)
        return data.decode().strip() if data else "closed"


def ask(protocol, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        answer = ask_sctp(family, address, port) if protocol == "sctp" else ask_socket(family, protocol, address, port)
        return answer.replace(" ", "_")
    except socket.timeout:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"
    except OSError as e:
        return "error_" + e.strerror.replace(" ", "_")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], [int(p) for p in sys.argv[3:]])
    else:
        for line in sys.stdin:
            protocol, address, port, count = line.split()
            answers = collections.Counter(ask(protocol, address, int(port)) for _ in range(int(count)))
            print(*(f"{answer}={n}" for answer, n in sorted(answers.items())), flush=True)
