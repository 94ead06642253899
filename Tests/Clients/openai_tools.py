"""Functions and JSON answers of chats, as the `openai` package asks for them."""

import asyncio
import json
import unittest

import openai
from openai_shared import ASK, DATA, ORDER, Triage, client


class Tools(unittest.TestCase):
    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def ask(self, messages=(ASK,), **parameters):
        parameters = {"tools": [ORDER], "temperature": 0, **parameters}
        return self.client.chat.completions.create(model="deskhand", messages=list(messages), **parameters)

    def check(self, call):
        self.assertEqual((call.type, call.function.name), ("function", "order"))
        arguments = json.loads(call.function.arguments)
        self.assertEqual(set(arguments), {"number", "urgent"})
        self.assertIn(arguments["number"], range(1000, 9999))
        self.assertIsInstance(arguments["urgent"], bool)
        self.assertTrue(call.id)

    def test_model_must_call(self):
        for choice in ("required", {"type": "function", "function": {"name": "order"}}):
            answer = self.ask(tool_choice=choice, parallel_tool_calls=False)
            self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
            self.assertIsNone(answer.choices[0].message.content)
            [call] = answer.choices[0].message.tool_calls
            self.check(call)

    def test_streamed_call(self):
        chunks = list(self.ask(tool_choice="required", parallel_tool_calls=False, stream=True))
        pieces = [piece for chunk in chunks for piece in chunk.choices[0].delta.tool_calls or []]
        self.assertGreater(len(pieces), 3)
        self.assertEqual([piece.function.name for piece in pieces if piece.function.name], ["order"])
        self.assertEqual({piece.index for piece in pieces}, {0})
        whole = self.ask(tool_choice="required", parallel_tool_calls=False).choices[0].message.tool_calls[0]
        self.assertEqual("".join(piece.function.arguments for piece in pieces), whole.function.arguments)
        self.assertEqual(chunks[-1].choices[0].finish_reason, "tool_calls")

    def test_stream_helper_gathers_the_call(self):
        with self.client.chat.completions.stream(
            model="deskhand", messages=[ASK], tools=[ORDER], tool_choice="required", temperature=0,
            parallel_tool_calls=False,
        ) as stream:
            final = stream.get_final_completion()
        self.check(final.choices[0].message.tool_calls[0])

    def test_async_call(self):
        async def one():
            async with openai.AsyncOpenAI(base_url=DATA, api_key="none", max_retries=0) as asynchronous:
                return await asynchronous.chat.completions.create(
                    model="deskhand", messages=[ASK], tools=[ORDER], tool_choice="required", parallel_tool_calls=False
                )

        self.check(asyncio.run(one()).choices[0].message.tool_calls[0])

    def test_results_go_back(self):
        call = self.ask(tool_choice="required", parallel_tool_calls=False).choices[0].message
        result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "On its way."}
        answer = self.ask([ASK, call, result], tool_choice="none", max_tokens=20)
        self.assertIsNone(answer.choices[0].message.tool_calls)
        with self.assertRaises(openai.BadRequestError) as caught:
            self.ask([ASK, {**result, "tool_call_id": "other"}])
        self.assertEqual(caught.exception.param, "messages[1].tool_call_id")

    def test_choice_of_none(self):
        answer = self.ask(tool_choice="none", max_tokens=20)
        self.assertIsNone(answer.choices[0].message.tool_calls)

    def test_cut_off_call_says_so(self):
        answer = self.ask(tool_choice="required", max_tokens=12)
        self.assertEqual(answer.choices[0].finish_reason, "length")

    def test_strict_function_that_cannot_be_promised(self):
        text = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^x"}}}
        tool = {"type": "function", "function": {"name": "f", "parameters": text, "strict": True}}
        with self.assertRaises(openai.BadRequestError) as caught:
            self.ask(tools=[tool])
        self.assertEqual(caught.exception.code, "unsupported_parameter")
        self.assertIn("pattern", caught.exception.message)


class Formats(unittest.TestCase):
    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def ask(self, **parameters):
        return self.client.chat.completions.create(model="deskhand", messages=[ASK], temperature=0, **parameters)

    def test_parse(self):
        answer = self.client.chat.completions.parse(
            model="deskhand", messages=[ASK], response_format=Triage, temperature=0
        )
        self.assertIsInstance(answer.choices[0].message.parsed, Triage)
        self.assertIn(answer.choices[0].message.parsed.count, range(10))

    def test_async_parse(self):
        async def one():
            async with openai.AsyncOpenAI(base_url=DATA, api_key="none", max_retries=0) as asynchronous:
                return await asynchronous.chat.completions.parse(
                    model="deskhand", messages=[ASK], response_format=Triage, temperature=0
                )

        self.assertIsInstance(asyncio.run(one()).choices[0].message.parsed, Triage)

    def test_parse_with_seeds(self):
        for seed in range(4):
            answer = self.client.chat.completions.parse(
                model="deskhand", messages=[ASK], response_format=Triage, temperature=2, seed=seed
            )
            self.assertIsInstance(answer.choices[0].message.parsed, Triage)

    def test_parsed_stream(self):
        with self.client.chat.completions.stream(
            model="deskhand", messages=[ASK], response_format=Triage, temperature=0
        ) as stream:
            final = stream.get_final_completion()
        self.assertIsInstance(final.choices[0].message.parsed, Triage)

    def test_cut_off_is_told(self):
        with self.assertRaises(openai.LengthFinishReasonError):
            self.client.chat.completions.parse(
                model="deskhand", messages=[ASK], response_format=Triage, temperature=0, max_completion_tokens=3
            )

    def test_json_object(self):
        answer = self.ask(response_format={"type": "json_object"}, max_tokens=200)
        if answer.choices[0].finish_reason == "stop":
            self.assertIsInstance(json.loads(answer.choices[0].message.content), dict)

    def test_log_probabilities_of_constrained_text(self):
        schema = {"name": "a", "schema": {"enum": ["yes", "no"]}, "strict": True}
        answer = self.ask(response_format={"type": "json_schema", "json_schema": schema}, logprobs=True)
        text = answer.choices[0].message.content
        self.assertIn(text, ('"yes"', '"no"'))
        self.assertEqual("".join(token.token for token in answer.choices[0].logprobs.content), text)

    def test_unknown_keyword(self):
        schema = {"name": "a", "schema": {"if": True}}
        with self.assertRaises(openai.BadRequestError) as caught:
            self.ask(response_format={"type": "json_schema", "json_schema": schema})
        self.assertEqual((caught.exception.param, caught.exception.code), ("response_format", "unsupported_parameter"))

    def test_logit_bias(self):
        usual = self.ask(max_tokens=1, logprobs=True, top_logprobs=1).choices[0].message.content
        # Every token that is no special one, but these two.
        for token in (300, 301):
            biased = self.ask(max_tokens=3, logit_bias={str(token): 100}).choices[0].message.content
            self.assertEqual(len({biased[i : i + len(biased) // 3] for i in range(0, len(biased), len(biased) // 3)}), 1)
            self.assertNotEqual(biased, usual)
        with self.assertRaises(openai.BadRequestError) as caught:
            self.ask(logit_bias={"1000000": 1})
        self.assertEqual(caught.exception.param, "logit_bias")

    def test_penalties(self):
        prompt = "again again again again again again again again"
        texts = [
            self.client.completions.create(
                model="deskhand", prompt=prompt, max_tokens=40, temperature=0, **parameters
            ).choices[0].text
            for parameters in ({}, {"frequency_penalty": 2}, {"presence_penalty": 2})
        ]
        self.assertEqual(len(set(texts)), 3)

    def test_choices_differ(self):
        answer = self.client.chat.completions.create(
            model="deskhand", messages=[ASK], n=4, seed=1, temperature=1.8, max_tokens=20
        )
        self.assertEqual([choice.index for choice in answer.choices], [0, 1, 2, 3])
        self.assertGreater(len({choice.message.content for choice in answer.choices}), 1)
