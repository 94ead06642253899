"""Responses, as the `openai` package asks for them, and what it does when it is refused for now."""

import asyncio
import concurrent.futures
import json
import threading
import unittest

import openai
from openai_shared import ASK, DATA, FACTS, ORDER, QUESTION, SYSTEM, Triage, client


class Responses(unittest.TestCase):
    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def ask(self, **parameters):
        parameters = {"instructions": SYSTEM["content"], "input": FACTS["content"], "temperature": 0, **parameters}
        return self.client.responses.create(model="deskhand", **parameters)

    def test_create(self):
        response = self.ask()
        self.assertEqual((response.status, response.object), ("completed", "response"))
        chat = self.client.chat.completions.create(model="deskhand", messages=[SYSTEM, FACTS], temperature=0)
        self.assertEqual(response.output_text, chat.choices[0].message.content)
        self.assertEqual(response.usage.total_tokens, chat.usage.total_tokens)

    def test_chain(self):
        response = self.client.responses.create(model="desk", input=QUESTION["content"])
        self.assertIn("30", response.output_text)

    def test_stream(self):
        events = list(self.ask(stream=True))
        self.assertEqual([event.sequence_number for event in events], list(range(len(events))))
        self.assertEqual((events[0].type, events[-1].type), ("response.created", "response.completed"))
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        self.assertEqual(text, self.ask().output_text)
        self.assertEqual(events[-1].response.output_text, text)

    def test_stream_helper(self):
        with self.client.responses.stream(model="deskhand", input=FACTS["content"], temperature=0) as stream:
            for _ in stream:
                pass
            self.assertTrue(stream.get_final_response().output_text)

    def test_parse(self):
        response = self.client.responses.parse(
            model="deskhand", input=ASK["content"], text_format=Triage, temperature=0
        )
        self.assertIsInstance(response.output_parsed, Triage)

    def test_cut_off(self):
        response = self.ask(max_output_tokens=3)
        self.assertEqual((response.status, response.incomplete_details.reason), ("incomplete", "max_output_tokens"))
        self.assertEqual(response.usage.output_tokens, 3)

    def test_call_and_result(self):
        tool = {"type": "function", **ORDER["function"]}
        response = self.client.responses.create(
            model="deskhand", input=[ASK], tools=[tool], tool_choice="required", parallel_tool_calls=False,
            temperature=0,
        )
        [call] = response.output
        self.assertEqual((call.type, call.name), ("function_call", "order"))
        self.assertIn(json.loads(call.arguments)["number"], range(1000, 9999))
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "On its way."}
        back = self.client.responses.create(
            model="deskhand", input=[ASK, call.model_dump(exclude_none=True), result], temperature=0,
            max_output_tokens=20,
        )
        self.assertTrue(back.output_text)

    def test_streamed_call(self):
        tool = {"type": "function", **ORDER["function"]}
        with self.client.responses.stream(
            model="deskhand", input=[ASK], tools=[tool], tool_choice="required", parallel_tool_calls=False,
            temperature=0,
        ) as stream:
            deltas = [event.delta for event in stream if event.type == "response.function_call_arguments.delta"]
            final = stream.get_final_response()
        self.assertGreater(len(deltas), 2)
        self.assertEqual("".join(deltas), final.output[0].arguments)

    def test_async(self):
        async def one():
            async with openai.AsyncOpenAI(base_url=DATA, api_key="none", max_retries=0) as asynchronous:
                return await asynchronous.responses.create(model="deskhand", input="hello", max_output_tokens=4)

        self.assertTrue(asyncio.run(one()).id.startswith("resp_"))

    def test_refused(self):
        for parameters in ({"previous_response_id": "resp_1"}, {"store": True}, {"tools": [{"type": "web_search"}]}):
            with self.subTest(parameters), self.assertRaises(openai.BadRequestError) as caught:
                self.ask(**parameters)
            self.assertEqual(caught.exception.code, "unsupported_parameter")
        with self.assertRaises(openai.BadRequestError) as caught:
            self.ask(input="chair " * 2000)
        self.assertEqual((caught.exception.param, caught.exception.code), ("input", "context_length_exceeded"))


class Limits(unittest.TestCase):
    """The endpoint `narrow` works on 8 answers at once, and lets nobody wait."""

    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def fill(self):
        streams = []
        for _ in range(8):
            stream = self.client.completions.create(
                model="narrow", prompt="Once upon a time", max_tokens=480, temperature=1.9, seed=3, stream=True
            )
            next(iter(stream))
            streams.append(stream)
        return streams

    def refusal(self, _):
        """The error that one of many requests at once gets, if it gets one."""
        try:
            self.client.completions.create(
                model="narrow", prompt="Once upon a time", max_tokens=480, temperature=1.9, seed=3
            )
        except openai.RateLimitError as error:
            return error

    def test_too_many(self):
        with concurrent.futures.ThreadPoolExecutor(max_workers=32) as threads:
            # Answers may end before all seats are taken, so it is tried again.
            for _ in range(20):
                refusals = [error for error in threads.map(self.refusal, range(32)) if error]
                if refusals:
                    break
        self.assertTrue(refusals, "nothing was refused")
        for error in refusals:
            self.assertEqual((error.code, error.type), ("rate_limit_exceeded", "rate_limit_error"))
            self.assertGreaterEqual(int(error.response.headers["retry-after"]), 1)

    def test_client_tries_again(self):
        streams = self.fill()
        timer = threading.Timer(0.2, lambda: [stream.close() for stream in streams])
        timer.start()
        self.addCleanup(timer.join)
        patient = self.client.with_options(max_retries=5)
        self.assertTrue(patient.completions.create(model="narrow", prompt="hello", max_tokens=1).choices)
