#!/usr/bin/env python3
"""Compares exact vector search with numpy's, search by search, and times an index by words.

usage: Benchmarks/retrieval/compare.py [--searches N]

Builds the release executable `RetrievalBenchmark`. Both sides run on one core, the same one, in turn; each numpy search
is a product of the matrix with the query and a partial sort. Prints the medians and their ratio.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

# Before numpy is imported: it starts its threads then.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
import numpy  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WIDTH, TOP = 384, 10


def build():
    options = ["swift", "build", "-c", "release", "--product", "RetrievalBenchmark"]
    subprocess.run(options, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    path = subprocess.run(options[:4] + ["--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True)
    return f"{path.stdout.strip()}/RetrievalBenchmark"


def ask(child, line):
    child.stdin.write(line + "\n")
    child.stdin.flush()
    return child.stdout.readline().rstrip("\n")


def numpy_search(matrix, query):
    start = time.perf_counter_ns()
    scores = matrix @ query
    best = numpy.argpartition(-scores, TOP)[:TOP]
    best = best[numpy.argsort(-scores[best])]
    return time.perf_counter_ns() - start, best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--executable", help="built before")
    options = parser.parse_args()
    executable = options.executable or build()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.Popen([executable, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        path, vector_seconds, word_seconds = child.stdout.readline().split()
        matrix = numpy.fromfile(path, dtype=numpy.float32).reshape(-1, WIDTH)
        ours, theirs, words = [], [], []
        for number in range(options.searches + 5):
            ask(child, f"vector query-{number}")
            answer = ask(child, f"vector query-{number}")
            took, rest = answer.split(" ", 1)
            texts, _, query = rest.rpartition(" ")
            query = numpy.array([float(x) for x in query.split(",")], dtype=numpy.float32)
            numpy_took, best = numpy_search(matrix, query)
            found = [int(text.removeprefix("piece ")) for text in texts.split("|")]
            assert found == [int(index) for index in best], (found, best)
            # Two in a row of each, of which the second counts: neither side finds the cache full of the other's.
            numpy_took, _ = numpy_search(matrix, query)
            generator = numpy.random.default_rng(number)
            terms = " ".join(f"w{int(numpy.exp(x * numpy.log(30_000)))}" for x in generator.random(6))
            word_took = int(ask(child, f"words {terms}").split(" ", 1)[0])
            if number >= 5:
                ours.append(int(took) / 1e6)
                theirs.append(numpy_took / 1e6)
                words.append(word_took / 1e6)
        child.stdin.close()
        child.wait()
    print(f"{matrix.shape[0]} x {WIDTH}, top {TOP}, one core, {len(ours)} searches; index built in {vector_seconds} s")
    print(f"  martlet p50 {statistics.median(ours):.2f} ms, numpy p50 {statistics.median(theirs):.2f} ms, "
          f"ratio {statistics.median(ours) / statistics.median(theirs):.2f}")
    print(f"10,000 documents by words: built in {word_seconds} s, p50 {statistics.median(words):.2f} ms, "
          f"p90 {sorted(words)[len(words) * 9 // 10]:.2f} ms")


if __name__ == "__main__":
    main()
