"""A body that trickles ends; one that comes steadily does not, and what comes after it may wait."""

import asyncio

from fastapi import FastAPI, Request
from starlette.types import Message

from batchqc.api.bodies import SLOWEST, LivelyBodies
from batchqc.api.errors import handle_errors


def answered(
    parts: list[bytes], *, last: bool, seconds: float = 0.05
) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer to a client that sends some parts, and then nothing."""
    waiting = [{"type": "http.request", "body": one, "more_body": True} for one in parts]
    waiting[-1]["more_body"] = not last
    began: list[Message] = []

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        return await asyncio.Event().wait()  # type: ignore[return-value]  # it never comes

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            began.append(message)

    app = FastAPI()
    handle_errors(app)

    @app.post("/")
    async def size(request: Request) -> int:
        return len(await request.body())

    scope = {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"",
        "headers": [], "root_path": "", "scheme": "http", "server": ("here", 80),
        "client": ("there", 1), "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip
    app.add_middleware(LivelyBodies, seconds=seconds)
    asyncio.run(app(scope, receive, send))
    (one,) = began
    return one["status"], {name.decode(): text.decode() for name, text in one["headers"]}


def test_who_sends_a_part_and_then_nothing_is_answered_and_the_connection_ends():
    status, headers = answered([b"x"], last=False)
    assert (status, headers["connection"]) == (408, "close")


def test_what_has_come_whole_is_taken_and_much_of_it_has_more_time():
    assert answered([b"x"], last=True)[0] == 200
    assert answered([b"x" * SLOWEST, b"x"], last=True, seconds=0)[0] == 200
