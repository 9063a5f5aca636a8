#!/usr/bin/python3
"""The Python client (clients/python) against a running daemon, with the official Protobuf runtime.

    python_client.py --socket PATH --model NAME [--slow-model NAME] [--limited-model NAME]

The slow model takes at least five seconds per response, in many chunks; the limited model answers every request with
429 and a Retry-After header.
"""

import argparse
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "clients", "python")]

from checks import Checks
from genwire import Client, RpcError, messages as m

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--socket", required=True)
arguments.add_argument("--model", required=True)
arguments.add_argument("--slow-model")
arguments.add_argument("--limited-model")
arguments = arguments.parse_args()
checks = Checks()


def client():
    return Client(f"unix:{arguments.socket}")


def chat(text, model=arguments.model, **fields):
    return m.ChatRequest(model=model, messages=[m.Message(role=m.ROLE_USER, content=text)], **fields)


def fails(code, call):
    """Runs `call`, which must fail with `code`; returns the error."""
    try:
        answer = call()
    except RpcError as error:
        assert error.code == code, f"code {error.code} instead of {code}: {error.message}"
        return error
    raise AssertionError(f"succeeded instead of code {code}: {str(answer)[:80]!r}")


def health():
    with client() as c:
        answer = c.call("Generation", "Health", m.HealthRequest(), timeout=10)
        assert answer.status == "serving" and answer.version, answer


def hello():
    with client() as c:
        answer = c.call("Control", "Hello", m.HelloRequest(client_name="python"))
        assert answer.server and answer.max_message_bytes > 0 and answer.max_streams > 0, answer


def ping():
    with client() as c:
        payload = bytes(range(256)) * 16
        assert c.call("Control", "Ping", m.PingRequest(payload=payload)).payload == payload
        assert c.call("Control", "Ping", m.PingRequest()).payload == b""


def list_models():
    with client() as c:
        answer = c.call("Generation", "ListModels", m.ListModelsRequest())
        assert any(model.default for model in answer.models), answer
        assert any(provider.name == "openai" for provider in answer.providers), answer


def unary_chat():
    with client() as c:
        answer = c.call("Generation", "Chat", chat("Hello there"), timeout=30)
        assert answer.message.role == m.ROLE_ASSISTANT and answer.message.content, answer
        assert answer.finish_reason == m.FINISH_STOP and answer.id and answer.provider and answer.model, answer
        assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0, answer.usage


def generate():
    with client() as c:
        request = m.GenerateRequest(model=arguments.model, prompt="Hello there", system="Be brief")
        answer = c.call("Generation", "Generate", request, timeout=30)
        assert answer.text and answer.finish_reason == m.FINISH_STOP, answer


def embed():
    with client() as c:
        request = m.EmbedRequest(inputs=["one", "two", "one"], dimensions=4, model=arguments.model)
        answer = c.call("Generation", "Embed", request, timeout=30)
        vectors = [list(embedding.values) for embedding in answer.embeddings]
        assert [len(vector) for vector in vectors] == [4, 4, 4] and vectors[0] == vectors[2] != vectors[1], answer
        assert answer.usage.total_tokens > 0 and answer.provider, answer


def any_text_survives():
    """U+0000, which ends a C string, and other Unicode text: sent and, if the model echoes it, received."""
    with client() as c:
        text = "zero\0zero é 漢字 🦀 \u2028 \"quoted\\\""
        answer = c.call("Generation", "Chat", chat(text), timeout=30)
        content = answer.message.content
        assert content and ("zero" not in content or "zero\0zero é" in content), content


def streamed_chat():
    with client() as c:
        chunks = list(c.stream("Generation", "StreamChat", chat("Hello there"), timeout=30))
        assert [chunk.seq for chunk in chunks] == list(range(len(chunks))), [chunk.seq for chunk in chunks]
        assert [chunk.WhichOneof("event") == "completed" for chunk in chunks].index(True) == len(chunks) - 1, chunks
        last = chunks[-1].completed
        assert last.chunk_count == len(chunks) - 1 and last.finish_reason == m.FINISH_STOP, last
        assert "".join(chunk.text for chunk in chunks), chunks


def streams_side_by_side():
    with client() as c:
        streams = [c.stream("Generation", "StreamChat", chat(f"Stream {n}"), timeout=30) for n in range(8)]
        ends = []
        while streams:
            for stream in list(streams):
                chunk = next(stream, None)
                if chunk is None:
                    streams.remove(stream)
                elif chunk.WhichOneof("event") == "completed":
                    ends.append(chunk)
        assert len(ends) == 8, len(ends)


def unknown_model():
    with client() as c:
        error = fails(5, lambda: c.call("Generation", "Chat", chat("Hello", model="no-such-model")))
        assert error.detail is not None and error.detail.kind == "UNKNOWN_MODEL", error.detail


def no_messages():
    with client() as c:
        error = fails(3, lambda: c.call("Generation", "Chat", m.ChatRequest(model=arguments.model)))
        assert error.detail is not None and error.detail.kind == "INVALID_REQUEST", error.detail
        fails(3, lambda: list(c.stream("Generation", "StreamChat", m.ChatRequest(model=arguments.model))))


def unknown_method():
    with client() as c:
        fails(12, lambda: c.call("Generation", "NoSuchMethod", m.HealthRequest()))
        fails(12, lambda: c.call("NoSuchService", "Health", m.HealthRequest()))
        c.call("Generation", "Health", m.HealthRequest())


def too_large():
    with client() as c:
        fails(8, lambda: c.call("Control", "Ping", m.PingRequest(payload=bytes(5 << 20))))
        c.call("Generation", "Health", m.HealthRequest())


def rate_limit():
    with client() as c:
        error = fails(8, lambda: c.call("Generation", "Chat", chat("Hello", arguments.limited_model), timeout=60))
        assert error.detail is not None and error.detail.kind == "RATE_LIMIT" and error.detail.retryable, error.detail
        assert error.detail.http_status == 429 and error.detail.retry_after_ms > 0, error.detail
        assert error.detail.attempts and error.message, error.detail


def deadline():
    with client() as c:
        slow = chat("Take your time", arguments.slow_model)
        error = fails(4, lambda: list(c.stream("Generation", "StreamChat", slow, timeout=0.3)))
        assert error.detail is None or error.detail.kind == "TIMEOUT", error.detail
        slow.deadline_ms = 300
        fails(4, lambda: list(c.stream("Generation", "StreamChat", slow)))
        c.call("Generation", "Health", m.HealthRequest())


def cancel():
    with client() as c, client() as other:
        slow = chat("Take your time", arguments.slow_model, call_id="python-cancel")
        stream = c.stream("Generation", "StreamChat", slow, timeout=60)
        next(stream)
        assert other.cancel("python-cancel")
        error = fails(1, lambda: list(stream))
        assert error.detail is None or error.detail.kind == "CANCELLED", error.detail
        assert not other.cancel("python-cancel"), "a cancelled call is still known"


def leaving_a_stream_cancels_it():
    with client() as c, client() as other:
        slow = chat("Take your time", arguments.slow_model, call_id="python-leave")
        for _ in c.stream("Generation", "StreamChat", slow, timeout=60):
            break
        time.sleep(0.3)  # leaving the loop cancelled the call; an earlier Cancel could have done so itself
        assert not other.cancel("python-leave"), "the call is still in progress"
        c.call("Generation", "Health", m.HealthRequest())


for check in (health, hello, ping, list_models, unary_chat, generate, embed, any_text_survives, streamed_chat,
              streams_side_by_side, unknown_model, no_messages, unknown_method, too_large):
    checks.run(check.__name__, check)
if arguments.limited_model:
    checks.run("rate_limit", rate_limit)
if arguments.slow_model:
    for check in (deadline, cancel, leaving_a_stream_cancels_it):
        checks.run(check.__name__, check)
sys.exit(checks.finish())
