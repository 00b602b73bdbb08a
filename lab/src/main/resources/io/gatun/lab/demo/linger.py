"""
linger ADDRESS PORT POD: opens HTTP connections until POD answers on one, prints POD, waits for a line on
standard input, asks once more on that same connection and prints who answered.
"""
import http.client
import sys


def ask(connection):
    connection.request("GET", "/")
    return connection.getresponse().read().decode().split()[0]


for attempt in range(100):
    connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=5)
    if ask(connection) == sys.argv[3]:
        print(sys.argv[3], flush=True)
        sys.stdin.readline()
        connection.auto_open = 0  # a broken connection must not be opened anew
        print(ask(connection), flush=True)
        break
    connection.close()
