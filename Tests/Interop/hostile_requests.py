#!/usr/bin/python3
"""The most expensive requests that fit 4 MiB, one after the other, while another connection on the same loop pings.

    hostile_requests.py --socket PATH MODEL...

The daemon must run one loop. Prints, for each request, its status and the longest latency of a Ping meanwhile. Each
request must end with a status or a response, and every ping must get a response. The latency is not checked here; the
benchmark reads it from the last line: `longest ping: N.N ms (NAME)`.
"""

import argparse
import multiprocessing
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks
from wire import *

SIZE = (4 << 20) - 4096  # leaves room for the envelope and the text around the bad part

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--socket", required=True)
arguments.add_argument("--only", default="", help="only requests with this in their name")
arguments.add_argument("models", nargs="+", metavar="MODEL")
arguments = arguments.parse_args()


def request(stream, method, payload, more=b""):
    service = "genwire.v1.Control" if method in ("Ping", "Hello", "Cancel") else "genwire.v1.Generation"
    return frame(stream, REQUEST, envelope(service, method, payload, more=more),
                 REMOTE_CLOSED if method == "StreamChat" else 0)


def end(connection):
    """Reads until the call ends; returns its status code, and the message of an error."""
    while True:
        _, kind, flags, data = connection.frame()
        if kind == DATA and flags & REMOTE_CLOSED:
            return 0, b""
        if kind == RESPONSE:
            return outcome(data)


# -- Requests

def user(content=b"hello"):
    return number(1, 2) + text(2, content)


def chat(*messages, tools=(), options=b""):
    return (b"".join(text(2, message) for message in messages) + b"".join(text(3, tool) for tool in tools)
            + (text(5, options) if options else b""))


def tool(schema, name="f"):
    return text(1, name) + text(3, schema)


def schema_option(schema):
    return text(9, number(1, 2) + text(2, schema))


def fill(piece, size=SIZE):
    return piece * (size // len(piece))


def assistant(**more):
    out = number(1, 3)
    for field, value in more.items():
        out += text({"content": 2, "calls": 4, "state": 8}[field], value)
    return out


def conversation(count, size):
    return chat(*[number(1, 2 + index % 2) + text(2, b"x" * size) for index in range(count)])


def called(arguments_json=b"{}", state=b"", count=1):
    call = lambda index: text(1, f"c{index}") + text(2, "f") + text(3, arguments_json) + (text(4, state) if state else b"")
    return number(1, 3) + b"".join(text(4, call(index)) for index in range(count))


def result(content, identifier="c0"):
    return number(1, 4) + text(2, content) + text(5, identifier) + text(6, "f")


def chats():
    """ChatRequest bodies by name."""
    duplicate = b'{"type":"object","properties":{"a":{"type":"string"}},' + fill(b'"anyOf":[],')[:-1] + b"}"
    yield "one schema key again and again", chat(user(), tools=[tool(duplicate)])
    yield "the same, 60,000 times", chat(user(), tools=[tool(b"{" + b'"anyOf":[],' * 30_000 + b'"type":"object"}')])
    yield "the same in the response format", chat(user(), options=schema_option(duplicate))
    types = b'{"properties":{"a":{"type":"string"}},' + b'"type":"object",' * 60_000 + b'"nullable":true}'
    yield "60,000 types", chat(user(), tools=[tool(types)])
    wide = b'{"type":"object","properties":{' + b",".join(b'"k%d":{"type":"string"}' % n for n in range(30_000)) + b"}}"
    yield "a wide schema", chat(user(), tools=[tool(wide)])
    yield "a wide response format", chat(user(), options=schema_option(wide))
    yield "a schema of 4 MiB", chat(user(), tools=[tool(b'{"a":[' + fill(b"1,")[:-1] + b"]}")])
    yield "brackets only", chat(user(), tools=[tool(fill(b"["))])
    deep = b'{"type":"object","properties":{"a":' * 120 + b"{}" + b"}}" * 120
    yield "deep schemas", chat(user(), tools=[tool(deep, f"f{n}") for n in range(200)])
    choices = b'{"anyOf":[{"type":"null"},' * 60 + b'{"type":"string"}' + b"]}" * 60
    yield "choices in choices", chat(user(), tools=[tool(b'{"type":"object","properties":{"a":' + choices + b"}}",
                                                         f"f{n}") for n in range(300)])
    yield "100,000 messages", conversation(100_000, 1)
    yield "16,000 messages", conversation(16_000, 200)
    yield "16,000 messages of one role", chat(*[user(b"x" * 200)] * 16_000)
    yield "2,000,000 empty messages", text(2, b"") * 2_000_000
    yield "100,000 parts", chat(number(1, 2) + text(3, text(1, "x")) * 100_000)
    yield "16,000 parts", chat(number(1, 2) + text(3, text(1, b"x" * 200)) * 16_000)
    image = text(2, text(1, "image/png") + text(2, b"x" * 200))
    yield "16,000 images", chat(number(1, 2) + text(3, image) * 16_000)
    yield "a huge image", chat(number(1, 2) + text(3, text(2, text(1, "image/png") + text(2, b"x" * SIZE))))
    for name, url in [("data", b"data:image/png;base64," + b"QUJD" * (SIZE // 4)), ("data without a comma", b"data:" +
                      fill(b"x;")), ("http", b"https://x/" + fill("e\u0301".encode()))]:
        yield f"a huge {name} url", chat(number(1, 2) + text(3, text(2, text(3, url))))
    yield "100,000 tools", chat(user(), tools=[tool(b"", f"f{n}") for n in range(100_000)])
    yield "1,024 tools", chat(user(), tools=[tool(b'{"description":"' + b"x" * 3500 + b'"}', f"f{n}") for n in range(1024)])
    yield "100,000 stop words", chat(user(), options=text(5, "stop") * 100_000)
    yield "7,000 fallbacks", chat(user(), options=text(14, "default") * 7000)
    for name, piece in [("letters", b"a"), ("quotes", b'"'), ("control characters", b"\x01"), ("line ends", b"a\n"),
                        ("combining marks", "\u0301".encode()), ("emoji", "\U0001F600".encode()), ("not UTF-8", b"\xff")]:
        yield f"a huge text of {name}", chat(user(fill(piece)))
    yield "huge arguments", chat(user(), called(b'{"a":[' + fill(b"1,")[:-1] + b"]}"), result(b"ok"))
    yield "huge arguments, not JSON", chat(user(), called(fill(b'{"a":"\\ud800",')), result(b"ok"))
    yield "16,000 calls", chat(user(), called(count=16_000), *[result(b"{}", f"c{n}") for n in range(16_000)])
    yield "a huge result", chat(user(), called(), result(b'{"a":[' + fill(b"[],")[:-1] + b"]}"))
    for family in (b"claude", b"gemini"):
        state = b'{"%s":[%s]}'
        yield f"{family.decode()} state of texts", chat(
            user(), assistant(state=state % (family, fill(b'{"text":0},')[:-1])))
        yield f"{family.decode()} state of blocks", chat(
            user(), assistant(state=state % (family, fill(b'{"block":{"a":[1,2]}},')[:-1])))
        yield f"{family.decode()} state, wide", chat(
            user(), assistant(state=state % (family, b"{" + fill(b'"k":1,')[:-1] + b"}")))
    yield "2,000,000 unknown fields", chat(user()) + fill(number(99, 1), SIZE - 100)
    yield "a huge model name", text(1, b"m" * SIZE) + chat(user())


def everything():
    """(name, method, payload, more of the envelope) for every RPC."""
    for model in arguments.models:
        named = text(1, model)
        for name, body in chats():
            yield f"Chat {model}: {name}", "Chat", (b"" if "model name" in name else named) + body, b""
        for name, body in chats():
            # CountTokensRequest has the messages and tools under the same numbers.
            if "format" not in name and "stop" not in name and "fallback" not in name and model != arguments.models[0]:
                yield f"CountTokens {model}: {name}", "CountTokens", (b"" if "model name" in name else named) + body, b""
    yield "CountTokens: a huge text", "CountTokens", text(4, fill("\u6f22".encode())), b""
    yield "StreamChat: a huge text", "StreamChat", chat(user(fill(b'"'))), b""
    yield "Generate: a huge text", "Generate", text(2, fill(b"\x01")), b""
    yield "ValidateAuth: huge names", "ValidateAuth", text(1, b"m" * (SIZE // 2)) + text(2, b"p" * (SIZE // 2)), b""
    yield "Hello: a huge token", "Hello", text(1, b"t" * SIZE), b""
    yield "Cancel: a huge id", "Cancel", text(1, b"c" * SIZE), b""
    yield "Ping: a huge payload", "Ping", text(1, b"p" * (SIZE - 4096)), b""
    for method in ("Health", "ListModels", "GetUsage"):
        yield f"{method}: unknown fields", method, fill(number(99, 1)), b""
    yield "metadata pairs", "Health", b"", text(5, text(1, "k") + text(2, "v")) * 100_000
    yield "a huge metadata pair", "Health", b"", text(5, text(1, "k") + text(2, b"v" * SIZE))


# -- The neighbour on the same loop

def neighbour(pipe):
    """Pings between two messages from the pipe, then sends back the longest latency in seconds."""
    connection = Wire(arguments.socket)
    stream = 1
    while True:
        pipe.recv()
        longest = 0.0
        while True:
            begun = time.perf_counter()
            connection.send(ping(stream))
            end(connection)
            longest = max(longest, time.perf_counter() - begun)
            stream += 2
            if pipe.poll():
                pipe.recv()
                break
        pipe.send(longest)


def main():
    checks = Checks()
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=neighbour, args=(there,), daemon=True)
    process.start()
    there.close()  # so that the exit of the neighbour ends the wait for it
    worst = (0.0, "")

    def check(name, method, payload, more):
        nonlocal worst
        data = request(1, method, payload, more)
        here.send("start")
        try:
            with Wire(arguments.socket) as connection:
                connection.send(data)
                code, words = end(connection)
        finally:
            here.send("stop")
            longest = here.recv()
        worst = max(worst, (longest, name))
        print(f"  {longest * 1000:8.1f} ms  code {code:2}  {len(data):8} bytes  {name}", flush=True)
        # 2 (unknown) and 13 (internal) would be faults of the daemon. A vendor may refuse or be down, and the
        # simulator's echo of escaped text may exceed the size limit of a response.
        echo = code == 13 and b"response exceeds" in words
        assert code in (0, 3, 4, 5, 8, 12, 14, 16) or echo, f"code {code}: {words[:200]}"

    for name, method, payload, more in everything():
        if arguments.only in name:
            checks.run(name, check, name, method, payload, more)
    process.kill()
    code = checks.finish()
    print(f"longest ping: {worst[0] * 1000:.1f} ms ({worst[1]})")
    return code


sys.exit(main())
