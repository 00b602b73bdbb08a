"""Real sockets for tests of translation. One line of output; exit 1 and a reason when it fails.

serve PORT                   TCP and UDP, both families: sends everything back; several may share PORT
upload ADDRESS PORT BYTES    TCP: sends BYTES and reads them back, prints the count and path MTU
trace ADDRESS PORT           UDP with hop limits 1, 2, 3 ...: prints who answered each
datagrams ADDRESS PORT BYTES COUNT   UDP echo of COUNT datagrams, prints how many came back whole
linger ADDRESS PORT COUNT SECONDS PAUSE    TCP: COUNT connections, each sends again PAUSE seconds
                             after its answer; prints how many ended, the longest time one stood
                             still in ms, how many moved data in the last PAUSE + 1.4 seconds, the
                             median and the 99th percentile of those times, and the longest time in
                             which nothing came on any of them
brief PORT                   TCP: sends back what comes and ends the connection
crowd ADDRESS PORT BRIEF COUNT RATE SECONDS   TCP: COUNT connections to PORT, which stay, then for
                             SECONDS RATE new ones a second to BRIEF; prints how many of COUNT
                             failed, how many brief ones there were, how many of these failed, the
                             99th percentile of their time in ms, and on how many of COUNT data
                             comes back in the end
pulse ADDRESS PORT SECONDS   UDP echo each ms: prints how many were sent, how many never came
                             back, then in ms the longest time without an answer, the 50th, 99th
                             percentile and the longest of the round trips, and how late the
                             latest was sent (that is the machine's, not the path's)
six PORT SOURCE ADDRESS:PORT ...     one client port to all addresses at once, data on each
"""

import errno
import os
import resource
import select
import socket
import struct
import sys
import threading
import time

IP_RECVERR, IPV6_RECVERR = 11, 25
IP_MTU, IPV6_MTU = 14, 24
MSG_ERRQUEUE = 0x2000


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(port):
    tcp = socket.create_server(
        ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=4096, reuse_port=True
    )
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.bind(("::", port))

    def datagrams():
        while True:
            data, peer = udp.recvfrom(65535)
            udp.sendto(data, peer)

    threading.Thread(target=datagrams, daemon=True).start()
    poll = select.epoll()
    poll.register(tcp, select.EPOLLIN)
    open_ = {}
    waiting = {}
    while True:
        for fd, event in poll.poll():
            if fd == tcp.fileno():
                connection, _ = tcp.accept()
                connection.setblocking(False)
                open_[connection.fileno()] = connection
                waiting[connection.fileno()] = b""
                poll.register(connection, select.EPOLLIN)
                continue
            connection = open_[fd]
            try:
                if not waiting[fd]:
                    waiting[fd] = connection.recv(65536)
                    if not waiting[fd]:
                        raise ConnectionResetError
                sent = connection.send(waiting[fd])
                waiting[fd] = waiting[fd][sent:]
                poll.modify(fd, select.EPOLLOUT if waiting[fd] else select.EPOLLIN)
            except BlockingIOError:
                poll.modify(fd, select.EPOLLOUT if waiting[fd] else select.EPOLLIN)
            except OSError:
                poll.unregister(fd)
                connection.close()
                del open_[fd], waiting[fd]


def upload(address, port, count):
    s = socket.create_connection((address, port), timeout=10)
    block = os.urandom(min(count, 1 << 20))
    got = bytearray()

    def read():
        while len(got) < count:
            data = s.recv(65536)
            if not data:
                return
            got.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    sent = b""
    while len(sent) < count:
        part = block[: count - len(sent)]
        s.sendall(part)
        sent += part
    reader.join(30)
    if bytes(got) != sent:
        sys.exit("sent %d bytes, %d came back" % (count, len(got)))
    v6 = family(address) == socket.AF_INET6
    mtu = s.getsockopt(socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP, IPV6_MTU if v6 else IP_MTU)
    print(len(got), mtu)


def trace(address, port):
    v6 = family(address) == socket.AF_INET6
    hops = []
    for ttl in range(1, 6):
        s = socket.socket(family(address), socket.SOCK_DGRAM)
        if v6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
            s.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        s.connect((address, port))  # an error reaches the socket only if it quotes this pair
        s.send(b"hop %d" % ttl)
        poll = select.poll()
        poll.register(s, select.POLLIN)
        if not poll.poll(3000):
            hops.append("silence")
            continue
        try:
            _, ancillary, _, _ = s.recvmsg(512, 512, MSG_ERRQUEUE)
            data = ancillary[0][2]
            offender = data[16:]
            if v6:
                hops.append(socket.inet_ntop(socket.AF_INET6, offender[8:24]))
            else:
                hops.append(socket.inet_ntop(socket.AF_INET, offender[4:8]))
        except BlockingIOError:
            hops.append("reply")
            break
    print(" ".join(hops))


def datagrams(address, port, size, count):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.settimeout(3)
    s.connect((address, port))
    whole = 0
    for k in range(count):
        data = os.urandom(size)
        for _ in range(3):
            s.send(data)
            try:
                while s.recv(65535) != data:
                    pass
                whole += 1
                break
            except socket.timeout:
                pass
    print(whole)


def brief(port):
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=4096)
    server.setblocking(False)
    poll = select.epoll()
    poll.register(server, select.EPOLLIN)
    open_ = {}
    while True:
        for fd, _ in poll.poll():
            if fd == server.fileno():
                try:
                    while True:
                        connection, _ = server.accept()
                        open_[connection.fileno()] = connection
                        poll.register(connection, select.EPOLLIN)
                except BlockingIOError:
                    continue
            connection = open_.pop(fd)
            try:
                connection.send(connection.recv(1000))
            except OSError:
                pass
            poll.unregister(fd)
            connection.close()


def linger(address, port, count, seconds, pace):
    connections = [socket.create_connection((address, port), timeout=10) for _ in range(count)]
    print("up", flush=True)
    poll = select.epoll()
    by_fd, moved, sent, still = {}, {}, {}, {}
    start = last = time.monotonic()
    for c in connections:
        c.setblocking(False)
        by_fd[c.fileno()] = c
        moved[c.fileno()] = start
        still[c.fileno()] = 0.0
        poll.register(c, select.EPOLLIN)
    ended, silence = 0, 0.0
    for number, c in enumerate(connections):  # spread over the pace
        if number % 100 == 99 and count > 1000:
            time.sleep(pace * 100 / count)
        c.send(b"x")
        moved[c.fileno()] = sent[c.fileno()] = last = time.monotonic()
    due = []
    while time.monotonic() - start < seconds:
        for fd, _ in poll.poll(0.02, 1000):
            now = time.monotonic()
            try:
                if not by_fd[fd].recv(100):
                    raise ConnectionResetError
                silence = max(silence, now - last)
                last = now
                still[fd] = max(still[fd], now - moved[fd])
                moved[fd] = now
                due.append(fd)
            except BlockingIOError:
                pass
            except OSError:
                ended += 1
                poll.unregister(fd)
                by_fd.pop(fd).close()
        now = time.monotonic()
        later = []
        for fd in due:
            if fd in by_fd and now - sent[fd] > pace:
                try:
                    by_fd[fd].send(b"x")
                    sent[fd] = now
                except OSError:
                    pass
            elif fd in by_fd:
                later.append(fd)
        due = later
    now = time.monotonic()
    alive = sum(1 for fd in by_fd if now - moved[fd] < pace + 1.4)
    times = sorted(int(1000 * t) for t in still.values())
    print(ended, times[-1], alive, times[count // 2], times[count * 99 // 100], int(silence * 1000))


def crowd(address, port, brief_port, count, rate, seconds):
    poll = select.epoll()
    waiting, began, long_, failed = {}, {}, {}, 0
    times = []
    made = brief_failed = 0

    def begin(to):
        s = socket.socket()
        s.setblocking(False)
        error = s.connect_ex((address, to))
        if error not in (0, errno.EINPROGRESS):
            s.close()
            return False
        waiting[s.fileno()] = (s, to, "connect")
        began[s.fileno()] = time.monotonic()
        poll.register(s, select.EPOLLOUT)
        return True

    def step(timeout):
        nonlocal failed, brief_failed
        for fd, _ in poll.poll(timeout, 1000):
            s, to, step_ = waiting.pop(fd)
            try:
                if step_ == "connect":
                    if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                        raise ConnectionRefusedError
                    s.send(b"hello")
                    poll.modify(fd, select.EPOLLIN)
                    waiting[fd] = (s, to, "answer")
                elif step_ == "answer":
                    if s.recv(100) != b"hello":
                        raise ConnectionResetError
                    if to == port:
                        poll.unregister(fd)
                        long_[fd] = s
                    else:
                        times.append(time.monotonic() - began[fd])
                        waiting[fd] = (s, to, "end")  # the server ends first: no time wait here
                else:
                    poll.unregister(fd)
                    s.close()
            except OSError:
                poll.unregister(fd)
                s.close()
                if to == port:
                    failed += 1
                else:
                    brief_failed += 1

    while len(long_) + len(waiting) + failed < count:
        if len(waiting) < 200:
            failed += not begin(port)
        step(0 if len(waiting) < 200 else 0.05)
    patience = time.monotonic() + 15
    while waiting and time.monotonic() < patience:
        step(0.05)
    failed += len(waiting)
    for s, _, _ in waiting.values():
        s.close()
    waiting.clear()
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        while made < (time.monotonic() - start) * rate and len(waiting) < 2000:
            made += 1
            brief_failed += not begin(brief_port)
        step(0.001)
    patience = time.monotonic() + 15
    while waiting and time.monotonic() < patience:
        step(0.05)
    brief_failed += len(waiting)
    good = 0
    for s in long_.values():
        try:
            s.setblocking(True)
            s.settimeout(10)
            s.send(b"there?")
            good += s.recv(100) == b"there?"
        except OSError:
            pass
    times.sort()
    print(failed, made, brief_failed, int(1000 * times[len(times) * 99 // 100]) if times else -1, good)


def pulse(address, port, seconds):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.connect((address, port))
    s.setblocking(False)
    sent, trips, late, silence = 0, [], 0.0, 0.0
    start = answered = time.monotonic()
    print("up", flush=True)
    while True:
        now = time.monotonic()
        due = start + sent / 1000
        if now >= due and now < start + seconds:
            late = max(late, now - due)
            try:
                s.send(struct.pack("d", now))
            except OSError:
                pass
            sent += 1
        if now > start + seconds + 1:
            break
        select.select([s], [], [], min(0.05, max(0, start + sent / 1000 - time.monotonic())))
        while True:
            try:
                data = s.recv(100)
            except OSError:
                break
            now = time.monotonic()
            trips.append(now - struct.unpack("d", data)[0])
            silence = max(silence, now - answered)
            answered = now
    trips.sort()
    count = len(trips)
    ms = [silence, trips[count // 2], trips[count * 99 // 100], trips[-1], late]
    print(sent, sent - count, *("%.1f" % (1000 * x) for x in ms))


def six(port, source, targets):
    sockets = []
    for target in targets:
        address, _, to = target.rpartition(":")
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.settimeout(5)
        s.bind((source, port))
        s.connect((address, int(to)))
        sockets.append(s)
    good = 0
    for round_ in range(3):
        for number, s in enumerate(sockets):
            data = b"%d:%d" % (number, round_)
            s.sendall(data)
            try:
                good += s.recv(100) == data
            except OSError as e:
                print(targets[number], e, file=sys.stderr)
    print(good)


def main(words):
    most = max(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (ValueError, OSError):
        pass  # then so many connections as there may be files
    command, rest = words[0], words[1:]
    if command == "serve":
        serve(int(rest[0]))
    elif command == "upload":
        upload(rest[0], int(rest[1]), int(rest[2]))
    elif command == "trace":
        trace(rest[0], int(rest[1]))
    elif command == "datagrams":
        datagrams(rest[0], int(rest[1]), int(rest[2]), int(rest[3]))
    elif command == "linger":
        linger(rest[0], int(rest[1]), int(rest[2]), float(rest[3]), float(rest[4]))
    elif command == "brief":
        brief(int(rest[0]))
    elif command == "crowd":
        crowd(rest[0], *[int(word) for word in rest[1:]])
    elif command == "pulse":
        pulse(rest[0], int(rest[1]), float(rest[2]))
    elif command == "six":
        six(int(rest[0]), rest[1], rest[2:])
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
