"""What the benchmarks against other servers share: environments of Python, servers that are started and waited for,
`martlet loadtest`, and ratios."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARTLET = pathlib.Path(os.environ.get("MARTLET", ROOT / ".build" / "release" / "martlet"))
CACHE = pathlib.Path(os.environ.get("MARTLET_CACHE") or pathlib.Path.home() / ".cache" / "martlet")
# What is measured has the first core; what measures it, and what stands behind it, the second.
SERVER_CORE, CLIENT_CORE = "0", "1"


def environment_of(name, packages):
    """The Python of a virtual environment with these packages; made on first use. Nil, and said why, where it cannot be."""
    text = " ".join(packages) + sys.version
    folder = CACHE / f"bench-{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        done = subprocess.run(install, capture_output=True, text=True)
        if done.returncode:
            print(f"{name} is left out: pip cannot install {' '.join(packages)}:\n{done.stderr[-2000:]}", file=sys.stderr)
            return None
        (folder / "complete").touch()
    return python


def built_echo():
    """The bare Hummingbird server, built where it lies."""
    package = ["swift", "build", "--package-path", ROOT / "Benchmarks" / "echo", "--configuration", "release"]
    subprocess.run([*package, "--quiet"], check=True)
    shown = subprocess.run([*package, "--show-bin-path"], check=True, capture_output=True, text=True)
    return pathlib.Path(shown.stdout.strip()) / "echo"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """One server on one core, from its start until it has ended."""

    def __init__(self, name, words, folder, core=SERVER_CORE, environment=None):
        self.name, self.log = name, folder / f"{name}.log"
        words = ["taskset", "--cpu-list", core, *map(str, words)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                words, stdout=log, stderr=log, cwd=folder, env={**os.environ, **(environment or {})}, process_group=0,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def wait(self, ready, patience=120):
        """Waits until `ready` returns something, and returns that."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError, ValueError, KeyError):
                if value := ready():
                    return value
            time.sleep(0.1)
        sys.exit(f"error: {self.name} does not start; the end of its log:\n{self.log.read_text(errors='replace')[-3000:]}")

    def resident_mib(self):
        """Of the process and its children."""
        pids = [self.process.pid]
        for pid in pids:
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    pids += map(int, open(f"/proc/{pid}/task/{task}/children").read().split())
        kilobytes = 0
        for pid in pids:
            with contextlib.suppress(OSError):
                found = re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read())
                kilobytes += int(found[1]) if found else 0
        return kilobytes / 1024


def answers(address, body=None):
    """Whether an address answers with a status below 400."""
    headers = {"content-type": "application/json"} if body else {}
    request = urllib.request.Request(address, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status < 400
    except urllib.error.HTTPError as error:
        return error.code < 400


def martlet(folder, manifests, core=SERVER_CORE):
    """`martlet run` on a repository of these files, and the address of its data plane."""
    repository, state = folder / "repository", folder / "state"
    for name, content in manifests.items():
        file = repository / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    git = ["git", "-C", repository, "-c", "user.name=Bench", "-c", "user.email=bench@shop.example"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Serve"]):
        subprocess.run([*git, *words], check=True)
    server = Server(
        "martlet",
        [MARTLET, "run", repository, "--state-dir", state, "--listen", "127.0.0.1:0"]
        + ["--metrics-listen", "127.0.0.1:0", "--log-level", "warning"],
        folder, core,
    )
    addresses = server.wait(lambda: json.loads((state / "run" / "addresses.json").read_text()))
    server.wait(lambda: answers(addresses["metrics"] + "/readyz"))
    return server, addresses["data"]


def load(address, words, concurrency, seconds):
    """One run of `martlet loadtest`; its summary. Ends the benchmark where requests fail."""
    command = ["taskset", "--cpu-list", CLIENT_CORE, MARTLET, "loadtest", "measured", "--data-plane", address]
    command += ["--concurrency", concurrency, "--duration", f"{seconds}s", "--warm-up", "1s", "-o", "json", *words]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(map(str, words))} at {address}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


class Sides:
    """Measurements of several servers in turn, so that whatever else the machine does falls on all of them alike."""

    def __init__(self, first):
        self.first, self.runs = first, {}

    def note(self, name, concurrency, summary):
        self.runs.setdefault((name, concurrency), []).append(summary)

    def median(self, name, concurrency, *path):
        def value(summary):
            for step in path:
                summary = summary[step]
            return summary
        return statistics.median(value(run) for run in self.runs[name, concurrency])

    def ratio(self, name, concurrency):
        """How many times as many requests the first side has answered: the median over rounds."""
        mine, others = self.runs[self.first, concurrency], self.runs[name, concurrency]
        return statistics.median(
            a["requests"]["perSecond"] / b["requests"]["perSecond"] for a, b in zip(mine, others)
        )

    def rows(self, names, concurrencies, resident):
        head = f"| server | clients | requests/s | **{self.first} / it** | p50, ms | p99, ms | resident, MiB |"
        lines = [head, "|---|---|---|---|---|---|---|"]
        for concurrency in concurrencies:
            for name in names:
                if (name, concurrency) not in self.runs:
                    continue
                rate = self.median(name, concurrency, "requests", "perSecond")
                p50 = self.median(name, concurrency, "latencyMilliseconds", "p50")
                p99 = self.median(name, concurrency, "latencyMilliseconds", "p99")
                ratio = f"**{self.ratio(name, concurrency):.2f}**" if name != self.first else ""
                memory = f"{resident[name]:.0f}" if name in resident else ""
                lines.append(f"| {name} | {concurrency} | {rate:.0f} | {ratio} | {p50:.3f} | {p99:.3f} | {memory} |")
        return "\n".join(lines)
