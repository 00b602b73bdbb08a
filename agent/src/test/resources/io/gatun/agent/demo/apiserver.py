"""An API server: apiserver.py PORT FILE. FILE is a JSON object of paths to lists of objects; whoever changes it
(by rename) changes the cluster, and watches are told. Versions rise by one a change, as etcd's, also from one run to
the next. What FILE.harm says is done instead of what should be, as long as it is there:

    gone     versions are forgotten: who watches and is to be told something hears 410, and has to list anew
    CODE     such as 429: every request is refused with it, for one second as it says, and watches end
    cut      the connection ends in the middle of an object
    doubled  every event is told twice
    late     every event is followed by the one before it of the same object
"""

import http.server
import json
import os
import sys
import threading
import time

port, path = int(sys.argv[1]), sys.argv[2]
lock = threading.Condition()
state, log, version, seen = {}, [], time.time_ns() // 1_000_000, None


def key(o):
    return (o["metadata"].get("namespace", ""), o["metadata"]["name"])


def harm():
    try:
        with open(path + ".harm") as f:
            return f.read().strip()
    except FileNotFoundError:
        return ""


def look():
    global state, version, seen
    now = os.stat(path)
    if (now.st_ino, now.st_mtime_ns) == seen:
        return
    seen = (now.st_ino, now.st_mtime_ns)
    with open(path) as f:
        new = json.load(f)
    for kind in set(new) | set(state):
        before = {key(o): o for o in state.get(kind, [])}
        after = {key(o): o for o in new.get(kind, [])}
        for k, o in after.items():
            was = before.get(k)
            bare = json.loads(json.dumps(was)) if was else None
            if bare:
                bare["metadata"].pop("resourceVersion")
            if bare == o:
                o["metadata"]["resourceVersion"] = was["metadata"]["resourceVersion"]
            else:
                version += 1
                o["metadata"]["resourceVersion"] = str(version)
                log.append((version, kind, "MODIFIED" if was else "ADDED", o))
        for k, o in before.items():
            if k not in after:
                version += 1
                o["metadata"]["resourceVersion"] = str(version)
                log.append((version, kind, "DELETED", o))
    state = new


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        kind, _, query = self.path.partition("?")
        if harm().isdigit():
            self.send_response(int(harm()))
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        words = dict(w.partition("=")[::2] for w in query.split("&"))
        if "watch" in words:
            return self.watch(kind, int(words["resourceVersion"]))
        with lock:
            body = json.dumps({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": str(version)},
                               "items": state.get(kind, [])}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PATCH(self):
        """Annotations only, of .../KIND/NAME/status."""
        kind, name, _ = self.path.rsplit("/", 2)
        patch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/strategic-merge-patch+json"
        with lock:
            with open(path) as f:
                objects = json.load(f)
            found = [o for o in objects.get(kind, []) if o["metadata"]["name"] == name]
            for o in found:
                o["metadata"].setdefault("annotations", {}).update(patch["metadata"]["annotations"])
            with open(path + ".patched", "w") as f:
                json.dump(objects, f)
            os.rename(path + ".patched", path)
        body = json.dumps(found[0] if found else {"kind": "Status", "message": "there is no " + name}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def watch(self, kind, since):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            with lock:
                new = [e for e in log if e[0] > since]
                if not new:
                    lock.wait(1)
            how = harm()
            if how.isdigit():
                self.close_connection = True
                return
            for v, k, event, o in new:
                since = max(since, v)
                if k != kind:
                    continue
                if how == "gone":
                    gone = {"kind": "Status", "code": 410, "message": "too old resource version"}
                    self.chunk(json.dumps({"type": "ERROR", "object": gone}) + "\n")
                    return self.chunk("")
                line = json.dumps({"type": event, "object": o}) + "\n"
                if how == "cut":
                    self.wfile.write(b"%x\r\n%s" % (len(line), line[:len(line) // 2].encode()))
                    self.wfile.flush()
                    self.close_connection = True
                    return
                self.chunk(line)
                if how == "doubled":
                    self.chunk(line)
                before = [e for e in log if e[0] < v and e[1] == kind and key(e[3]) == key(o)]
                if how == "late" and before:
                    self.chunk(json.dumps({"type": before[-1][2], "object": before[-1][3]}) + "\n")
            self.wfile.flush()

    def chunk(self, text):
        """One of a chunked body; an empty one is its end."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text.encode()))


look()
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
while True:
    time.sleep(0.005)
    with lock:
        look()
        lock.notify_all()
