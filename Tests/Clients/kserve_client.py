"""What programs that use KServe's inference client expect of a server; MARTLET_DATA is its address."""

import os
import unittest

import httpx
import numpy
from kserve import InferInput, InferRequest, InferenceRESTClient, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from clients import finish, flowers

DATA = os.environ["MARTLET_DATA"]


class KServe(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
        self.addAsyncCleanup(self.client.close)

    async def infer(self, rows, binary_in=False, binary_out=False, model="iris"):
        tensor = InferInput("X", list(rows.shape), "FP32")
        tensor.set_data_from_numpy(rows, binary_data=binary_in)
        outputs = [RequestedOutput(name, {"binary_data": binary_out}) for name in ("label", "probabilities")]
        request = InferRequest(model, [tensor], request_id="9", request_outputs=outputs)
        return await self.client.infer(DATA, request, model_name=model)

    async def test_server_and_model(self):
        self.assertIs(await self.client.is_server_live(DATA), True)
        self.assertIs(await self.client.is_server_ready(DATA), True)
        self.assertIs(await self.client.is_model_ready(DATA, "iris"), True)
        self.assertIs(await self.client.is_model_ready(DATA, "rose"), False)

    async def test_infer_in_every_form(self):
        rows, labels = flowers(numpy)
        for binary_in in (False, True):
            for binary_out in (False, True):
                with self.subTest(binary_in=binary_in, binary_out=binary_out):
                    answer = await self.infer(rows, binary_in, binary_out)
                    outputs = {output.name: output.as_numpy() for output in answer.outputs}
                    # 96.7 % of what the model has not seen.
                    self.assertEqual(int((outputs["label"] == labels).sum()), 58)
                    self.assertEqual(outputs["probabilities"].shape, (60, 3))
                    self.assertEqual((answer.id, answer.model_name), ("9", "iris"))

    async def test_refusals(self):
        rows, _ = flowers(numpy)
        for words, ask in [("404", self.infer(rows, model="rose")), ("400", self.infer(rows[:, :2].copy()))]:
            with self.assertRaises(httpx.HTTPStatusError) as caught:
                await ask
            self.assertIn(words, str(caught.exception))


finish("kserve", __name__)
