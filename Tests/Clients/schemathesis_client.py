"""Requests that schemathesis makes up from the OpenAPI document of both planes; none may be a server error.

MARTLET_DATA is the address of the data plane, MARTLET_ADMIN the path of the admin API's socket.
"""

import json
import os
import pathlib
import re
import select
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import urllib.request

DATA = os.environ["MARTLET_DATA"]
ADMIN = os.environ["MARTLET_ADMIN"]
SEED = "7"
# Requests of one operation.
EXAMPLES = "20"
# Made-up names are never those of endpoints, so these take the place of any name.
NAMES = {"enum": ["iris", "deskhand", "desk", "embeddings", "nobody"]}


class Relay(socketserver.BaseRequestHandler):
    """Passes a TCP connection on to the admin API's socket: schemathesis knows no other."""

    def handle(self):
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(ADMIN)
            ends = {self.request: admin, admin: self.request}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    try:
                        data = end.recv(65536)
                        if not data:
                            return
                        ends[end].sendall(data)
                    except OSError:
                        return


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def fill_in(document):
    """Lets a published document know some endpoints, and asks for short texts."""
    for operations in document["paths"].values():
        for parameter in (p for operation in operations.values() for p in operation.get("parameters", [])):
            if parameter["name"] in ("model", "endpoint"):
                parameter["schema"] = NAMES
    for name in ("ChatRequest", "CompletionRequest", "EmbeddingRequest"):
        document["components"]["schemas"][name]["properties"]["model"] = NAMES
    for name in ("ChatRequest", "CompletionRequest"):
        schema = document["components"]["schemas"][name]
        schema["properties"]["max_tokens"] = {"type": "integer", "minimum": 1, "maximum": 8}
        schema["required"].append("max_tokens")
    return document


def run(document, address, paths, folder):
    """Tries one plane; returns how many operations passed, and how many failed."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", document, "--url", address,
               "--include-path-regex", paths]
    # An event stream has no end.
    command += ["--exclude-path-regex", "generate_stream$|/events$", "--checks", "not_a_server_error"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", SEED, "--no-shrink"]
    command += ["--continue-on-failure", "--request-timeout", "30", "--suppress-health-check", "all", "--warnings", "off"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tested = re.search(r"Tested: *(\d+)", done.stdout) or re.search(r"Operations:.*?(\d+) tested", done.stdout)
    if done.returncode != 0 or not tested:
        print(done.stdout[-20000:])
        return 0, 1
    return int(tested[1]), 0


def main():
    relay = Server(("127.0.0.1", 0), Relay)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="martlet-schemathesis-") as folder:
        document = pathlib.Path(folder) / "openapi.json"
        with urllib.request.urlopen(DATA + "/openapi.json", timeout=60) as published:
            document.write_text(json.dumps(fill_in(json.load(published))))
        results = [
            run(document, DATA, "^/(v1|v2|openapi)", folder),
            run(document, f"http://127.0.0.1:{relay.server_address[1]}", "^/api/v1", folder),
        ]
    relay.shutdown()
    passed, failed = (sum(column) for column in zip(*results))
    print(f"schemathesis: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
