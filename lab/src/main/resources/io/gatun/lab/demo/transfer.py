"""
transfer serve PORT               serves one client after the other
transfer send ADDRESS PORT BYTES  sends random bytes, then receives as many of the server's

Each side hashes what it sends and what it receives. The sender prints: SHA-256 sent, SHA-256 of it as it
arrived, milliseconds; and the same for the way back.
"""
import hashlib
import os
import socket
import struct
import sys
import time

CHUNK = 1 << 20


def send(connection, size):
    noise, digest = os.urandom(CHUNK), hashlib.sha256()
    for number in range(0, size, CHUNK):
        chunk = (struct.pack("!Q", number) + noise[8:])[: size - number]  # no two chunks alike
        digest.update(chunk)
        connection.sendall(chunk)
    return digest.hexdigest()


def receive(connection, size):
    digest, buffer = hashlib.sha256(), memoryview(bytearray(CHUNK))
    while size > 0:
        count = connection.recv_into(buffer, min(size, CHUNK))
        if count == 0:
            raise EOFError(f"{size} bytes missing")
        digest.update(buffer[:count])
        size -= count
    return digest.hexdigest()


def exactly(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError("the other side ended early")
        data += part
    return data


if sys.argv[1] == "serve":
    with socket.create_server(("::", int(sys.argv[2])), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        while True:
            connection, _ = server.accept()
            try:
                (size,) = struct.unpack("!Q", exactly(connection, 8))
                connection.sendall(receive(connection, size).encode())
                connection.sendall(send(connection, size).encode())
            except (EOFError, OSError) as trouble:
                print("transfer:", trouble, flush=True)
            connection.close()
else:
    size = int(sys.argv[4])
    with socket.create_connection((sys.argv[2], int(sys.argv[3])), timeout=30) as connection:
        start = time.monotonic()
        connection.sendall(struct.pack("!Q", size))
        sent = send(connection, size)
        arrived = exactly(connection, 64).decode()
        print(sent, arrived, round((time.monotonic() - start) * 1000))
        start = time.monotonic()
        received = receive(connection, size)
        told = exactly(connection, 64).decode()
        print(told, received, round((time.monotonic() - start) * 1000))
