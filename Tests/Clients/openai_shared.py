"""What the tests with the `openai` package share; MARTLET_DATA and MARTLET_METRICS are the addresses of the server."""

import enum
import os
import urllib.request

import openai
import pydantic

DATA = os.environ["MARTLET_DATA"] + "/v1"
METRICS = os.environ["MARTLET_METRICS"] + "/metrics"
QUESTION = {"role": "user", "content": "How long can I return my sofa?"}
SYSTEM = {"role": "system", "content": "Answer the customer using only the context."}
FACTS = {"role": "user", "content": "Context: The return window is 30 days.\nHow long can I return my sofa?"}

ASK = {"role": "user", "content": "Where is my order 73619?"}
ORDER = {
    "type": "function",
    "function": {
        "name": "order",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {
                "number": {"type": "integer", "minimum": 1000, "exclusiveMaximum": 9999},
                "urgent": {"type": "boolean"},
            },
            "required": ["number", "urgent"],
            "additionalProperties": False,
        },
    },
}


class Mood(enum.Enum):
    CALM = "calm"
    ANGRY = "angry"


class Detail(pydantic.BaseModel):
    mood: Mood
    score: float


class Triage(pydantic.BaseModel):
    """A schema with references, choices and bounds, as the package makes it of a class."""

    intent: Mood
    count: int = pydantic.Field(ge=0, lt=10)
    detail: Detail | None
    tags: list[Mood] = pydantic.Field(max_length=2)


def client():
    return openai.OpenAI(base_url=DATA, api_key="none", max_retries=0, timeout=60)


def in_flight():
    """How many requests are on replicas now."""
    with urllib.request.urlopen(METRICS, timeout=10) as page:
        lines = page.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("martlet_requests_in_flight"))
