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
# Requests of one operation, besides those that cover its parameters.
EXAMPLES = os.environ.get("MARTLET_EXAMPLES", "20")
# Made-up names are never those of endpoints, so these take the place of any name.
NAMES = {"enum": ["iris", "deskhand", "desk", "embeddings", "nobody"]}
FEW = {"type": "integer", "minimum": 1, "maximum": 8}


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
    """Lets a published document know some endpoints, and asks for short texts and for streams that end."""
    for path, operations in document["paths"].items():
        for parameter in (p for operation in operations.values() for p in operation.get("parameters", [])):
            if parameter["name"] in ("model", "endpoint"):
                parameter["schema"] = NAMES
            elif parameter["name"] == "name":
                parameter["schema"] = {"enum": [*NAMES["enum"], "answer", "default"]}
            elif parameter["name"] == "namespace":
                parameter["schema"] = {"enum": ["default", "nowhere"]}
            elif parameter["name"] == "kind":
                parameter["schema"] = {"enum": ["endpoint", "Model", "prompts", "thing"]}
            elif path.endswith("/events") and parameter["name"] == "follow":
                parameter["schema"] = {"enum": [False]}
    schemas = document["components"]["schemas"]
    for name in ("ChatRequest", "CompletionRequest", "EmbeddingRequest", "ResponseRequest"):
        schemas[name]["properties"]["model"] = NAMES
    for name, limit in [
        ("ChatRequest", "max_tokens"), ("CompletionRequest", "max_tokens"), ("ResponseRequest", "max_output_tokens"),
    ]:
        schemas[name]["properties"][limit] = FEW
        schemas[name]["required"].append(limit)
    generate = schemas["GenerateRequest"]
    generate["properties"]["parameters"]["properties"]["max_tokens"] = FEW
    generate["properties"]["parameters"]["required"] = ["max_tokens"]
    generate["required"].append("parameters")
    return document


def run(document, address, paths, folder):
    """Tries the operations of one plane; returns how many passed, and how many failed or were passed over."""
    file = folder / "openapi.json"
    mine = {path: item for path, item in document["paths"].items() if re.search(paths, path)}
    file.write_text(json.dumps({**document, "paths": mine}))
    command = [sys.executable, "-m", "schemathesis.cli", "run", file, "--url", address]
    command += ["--checks", "not_a_server_error", "--phases", "examples,coverage,fuzzing"]
    command += ["--max-examples", EXAMPLES, "--seed", SEED, "--no-shrink"]
    command += ["--continue-on-failure", "--request-timeout", "30", "--suppress-health-check", "all", "--warnings", "off"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tested = re.search(r"Tested: *(\d+)", done.stdout) or re.search(r"Operations:.*?(\d+) tested", done.stdout)
    count = int(tested[1]) if tested else 0
    expected = sum(len(operations) for operations in mine.values())
    if done.returncode != 0 or count != expected:
        print(done.stdout[-20000:])
        return 0, max(1, expected - count)
    return count, 0


def main():
    relay = Server(("127.0.0.1", 0), Relay)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="martlet-schemathesis-") as folder:
        folder = pathlib.Path(folder)
        with urllib.request.urlopen(DATA + "/openapi.json", timeout=60) as published:
            document = fill_in(json.load(published))
        results = [
            run(document, DATA, "^(?!/api/v1)", folder),
            run(document, f"http://127.0.0.1:{relay.server_address[1]}", "^/api/v1", folder),
        ]
    relay.shutdown()
    passed, failed = (sum(column) for column in zip(*results))
    print(f"schemathesis: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
