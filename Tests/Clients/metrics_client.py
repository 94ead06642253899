"""What Prometheus' own parser makes of the metrics; MARTLET_DATA and MARTLET_METRICS are the server's addresses."""

import json
import os
import unittest
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from clients import finish

DATA = os.environ["MARTLET_DATA"]
METRICS = os.environ["MARTLET_METRICS"] + "/metrics"


class Metrics(unittest.TestCase):
    def setUp(self):
        rows = {"name": "X", "shape": [1, 4], "datatype": "FP32", "data": [5.1, 3.5, 1.4, 0.2]}
        for path, body in [
            ("/v2/models/iris/infer", {"inputs": [rows]}),
            ("/v1/completions", {"model": "deskhand", "prompt": "Dear customer", "max_tokens": 2}),
        ]:
            with urllib.request.urlopen(DATA + path, json.dumps(body).encode(), timeout=60) as answer:
                answer.read()
        with urllib.request.urlopen(METRICS, timeout=60) as page:
            self.text = page.read().decode()
        self.families = {family.name: family for family in text_string_to_metric_families(self.text)}

    def test_every_line_is_a_sample(self):
        lines = [line for line in self.text.splitlines() if line and not line.startswith("#")]
        self.assertEqual(sum(len(family.samples) for family in self.families.values()), len(lines))
        for name, family in self.families.items():
            with self.subTest(name):
                self.assertIn(family.type, ("counter", "gauge", "histogram"))
                self.assertTrue(family.documentation)

    def test_histograms_add_up(self):
        for name, family in self.families.items():
            if family.type != "histogram":
                continue
            counts, buckets = {}, {}
            for sample in family.samples:
                key = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
                if sample.name.endswith("_count"):
                    counts[key] = sample.value
                elif sample.name.endswith("_bucket"):
                    buckets.setdefault(key, []).append((float(sample.labels["le"]), sample.value))
            for key, row in buckets.items():
                with self.subTest(name, labels=key):
                    self.assertEqual(row, sorted(row))
                    self.assertEqual([value for _, value in row], sorted(value for _, value in row))
                    self.assertEqual(row[-1], (float("inf"), counts[key]))

    def test_requests_are_counted(self):
        models = {sample.labels["gen_ai_request_model"] for sample in self.families["martlet_requests"].samples}
        self.assertLessEqual({"default/iris", "default/deskhand"}, models)


finish("prometheus-client", __name__)
