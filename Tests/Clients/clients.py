"""What the client scripts share."""

import csv
import importlib.metadata
import pathlib
import sys
import unittest

HELD_OUT = pathlib.Path(__file__).parent.parent / "EnginesTests" / "Fixtures" / "onnx" / "iris-heldout.csv"


def flowers(numpy):
    """The 60 flowers that no model has seen: four lengths each, and their kinds."""
    with open(HELD_OUT, newline="") as file:
        table = [[float(field) for field in row] for row in list(csv.reader(file))[1:]]
    table = numpy.array(table, dtype=numpy.float32)
    return table[:, :4].copy(), table[:, 4].astype(numpy.int64)


def finish(package, module):
    """Runs a script's tests and prints how many passed, as scripts/test-clients reads it."""
    if module != "__main__":
        return
    result = unittest.main(exit=False, verbosity=1).result
    failed = len(result.failures) + len(result.errors)
    version = importlib.metadata.version(package)
    print(f"{package} {version}: {max(result.testsRun - failed, 0)} passed, {failed} failed")
    sys.exit(0 if result.wasSuccessful() else 1)
