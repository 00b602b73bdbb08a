"""HTTP server of a pod. Answers each GET with: the pod's name, the client's address as seen here."""
import http.server
import socket
import sys


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # a client may keep its connection

    def do_GET(self):
        client = self.client_address[0].removeprefix("::ffff:")
        body = f"{sys.argv[1]} {client}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6  # and IPv4, as mapped addresses

    def server_bind(self):  # without the base class's look-up of our own name
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "web", self.server_address[1]


Server(("::", int(sys.argv[2])), Answer).serve_forever()
