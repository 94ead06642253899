"""What programs that use `tritonclient` expect of a server; MARTLET_DATA is its address."""

import os
import unittest

import numpy
from tritonclient import http

from clients import finish, flowers

ADDRESS = os.environ["MARTLET_DATA"].removeprefix("http://")


class Triton(unittest.TestCase):
    def setUp(self):
        self.client = http.InferenceServerClient(ADDRESS, network_timeout=60, connection_timeout=60)
        self.addCleanup(self.client.close)

    def infer(self, rows, names=("label",), binary_in=True, binary_out=True, model="iris", **options):
        tensor = http.InferInput("X", list(rows.shape), "FP32")
        tensor.set_data_from_numpy(rows, binary_data=binary_in)
        outputs = [http.InferRequestedOutput(name, binary_data=binary_out) for name in names]
        return self.client.infer(model, [tensor], outputs=outputs or None, **options)

    def test_server(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        metadata = self.client.get_server_metadata()
        self.assertEqual(metadata["name"], "martlet")
        self.assertIn("binary_tensor_data", metadata["extensions"])

    def test_model(self):
        self.assertTrue(self.client.is_model_ready("iris"))
        self.assertFalse(self.client.is_model_ready("rose"))
        metadata = self.client.get_model_metadata("iris")
        self.assertEqual(metadata["inputs"], [{"name": "X", "datatype": "FP32", "shape": [-1, 4]}])
        self.assertEqual([output["name"] for output in metadata["outputs"]], ["label", "probabilities"])
        version = metadata["versions"][0]
        self.assertTrue(self.client.is_model_ready("iris", version))
        self.assertFalse(self.client.is_model_ready("iris", "0000000000"))

    def test_repository_index(self):
        index = {model["name"]: model for model in self.client.get_model_repository_index()}
        self.assertEqual(index["iris"]["state"], "READY")
        self.assertEqual(index["iris"]["version"], self.client.get_model_metadata("iris")["versions"][0])
        self.assertIn("ranker-20", index)

    def test_infer_in_every_form(self):
        rows, labels = flowers(numpy)
        for binary_in in (True, False):
            for binary_out in (True, False):
                with self.subTest(binary_in=binary_in, binary_out=binary_out):
                    result = self.infer(
                        rows, ("label", "probabilities"), binary_in, binary_out, request_id="7", timeout=30_000_000
                    )
                    # 96.7 % of what the model has not seen.
                    self.assertEqual(int((result.as_numpy("label") == labels).sum()), 58)
                    probabilities = result.as_numpy("probabilities")
                    self.assertEqual((probabilities.dtype, probabilities.shape), (numpy.float32, (60, 3)))
                    numpy.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
                    self.assertEqual(result.get_response()["id"], "7")

    def test_forms_agree_to_the_bit(self):
        rows, _ = flowers(numpy)
        binary = self.infer(rows, ("probabilities",)).as_numpy("probabilities")
        text = self.infer(rows, ("probabilities",), binary_in=False, binary_out=False).as_numpy("probabilities")
        numpy.testing.assert_array_equal(binary, text)

    def test_all_outputs(self):
        rows, _ = flowers(numpy)
        result = self.infer(rows[:2], names=())
        self.assertEqual(result.as_numpy("label").shape, (2,))
        self.assertEqual(result.as_numpy("probabilities").shape, (2, 3))

    def test_version(self):
        rows, _ = flowers(numpy)
        version = self.client.get_model_metadata("iris")["versions"][0]
        result = self.infer(rows[:1], model_version=version)
        self.assertEqual(result.get_response()["model_version"], version)

    def test_asynchronous_infer(self):
        rows, _ = flowers(numpy)
        tensor = http.InferInput("X", list(rows.shape), "FP32")
        tensor.set_data_from_numpy(rows)
        answers = [self.client.async_infer("iris", [tensor]).get_result().as_numpy("label") for _ in range(4)]
        for answer in answers[1:]:
            numpy.testing.assert_array_equal(answer, answers[0])

    def echo(self, texts, binary_in, binary_out):
        tensor = http.InferInput("x", list(texts.shape), "BYTES")
        tensor.set_data_from_numpy(texts, binary_data=binary_in)
        outputs = [http.InferRequestedOutput("y", binary_data=binary_out)]
        return self.client.infer("echo", [tensor], outputs=outputs).as_numpy("y")

    def test_texts_in_every_form(self):
        words = [["", "sofa", "é日🛋"], ['say "hi"\\', "two\nlines\t", "\0"]]
        for binary_in in (True, False):
            for binary_out in (True, False):
                with self.subTest(binary_in=binary_in, binary_out=binary_out):
                    answer = self.echo(numpy.array(words, dtype=object), binary_in, binary_out)
                    self.assertEqual(answer.shape, (2, 3))
                    # The client makes texts of JSON, and bytes of binary data.
                    texts = [[word.decode() if binary_out else word for word in row] for row in answer.tolist()]
                    self.assertEqual(texts, words)

    def test_bytes_that_are_no_text(self):
        data = numpy.array([[b"\xff\x00\xfe", b"\xed\xa0\x80"]], dtype=object)
        self.assertEqual(self.echo(data, binary_in=True, binary_out=True).tolist(), data.tolist())
        with self.assertRaises(http.InferenceServerException) as caught:
            self.echo(data, binary_in=True, binary_out=False)
        self.assertIn("UTF-8", caught.exception.message())

    def test_refusals(self):
        rows, _ = flowers(numpy)
        for words, status, ask in [
            ("rose", "404", lambda: self.infer(rows, model="rose")),
            ("[60, 3]", "400", lambda: self.infer(rows[:, :3])),
            ("lable", "400", lambda: self.infer(rows, ("lable",))),
            ("gzip", "415", lambda: self.infer(rows, request_compression_algorithm="gzip")),
            ("Git says", "403", lambda: self.client.load_model("iris")),
            ("shares no memory", "404", lambda: self.client.get_system_shared_memory_status()),
        ]:
            with self.subTest(words), self.assertRaises(http.InferenceServerException) as caught:
                ask()
            self.assertIn(words, caught.exception.message())
            self.assertEqual(caught.exception.status(), status)


finish("tritonclient", __name__)
