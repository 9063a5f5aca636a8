#!/usr/bin/python3
"""Raw bytes against a running daemon: every rule of the ttrpc framing, and violations of each.

    raw_ttrpc.py --socket PATH --model NAME [--slow-model NAME]

Uses no library: frames and messages are written byte by byte (wire.py), so that a bug in a shared runtime cannot hide
on both sides. The slow model takes at least five seconds per response, in many chunks.
"""

import argparse
import functools
import random
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks
import wire as bytewise
from wire import *

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--socket", required=True)
arguments.add_argument("--model", required=True)
arguments.add_argument("--slow-model")
arguments.add_argument("--seeds", type=int, default=200, help="how many random inputs to try")
arguments = arguments.parse_args()
checks = Checks()
Wire = functools.partial(bytewise.Wire, arguments.socket)


def chat(content="Hello there", model=arguments.model, call_id="", deadline_ms=0):
    message = number(1, 2) + text(2, content)  # ROLE_USER
    return (text(1, model) + text(2, message) + (text(6, call_id) if call_id else b"")
            + (number(7, deadline_ms) if deadline_ms else b""))


def generation(stream, method, payload, timeout_ns=0):
    return frame(stream, REQUEST, envelope("genwire.v1.Generation", method, payload, timeout_ns),
                 REMOTE_CLOSED if method == "StreamChat" else 0)


def server_lives():
    with Wire() as wire:
        wire.send(health(1))
        wire.expect(1, 0)


# -- The framing's rules

def unary():
    with Wire() as wire:
        wire.send(health(1))
        code, payload = wire.response(1)
        assert code == 0 and fields(payload)[1] == b"serving", payload


def unknown_type_on_an_odd_id_is_ignored():
    with Wire() as wire:
        wire.send(frame(1, 0x09, b"future"), frame(3, 0xFF), frame(5, 0x00, b"zero"))
        wire.works(7)


def even_ids_are_refused():
    with Wire() as wire:
        for stream in (0, 2, 0xFFFFFFFE):
            for kind in (REQUEST, DATA, 0x09):
                wire.send(frame(stream, kind, envelope("genwire.v1.Generation", "Health")))
                wire.expect(stream, 3, "odd")
        wire.works(1)


def a_used_id_is_refused():
    with Wire() as wire:
        wire.works(5)
        for stream in (5, 3, 1):
            wire.send(health(stream))
            wire.expect(stream, 3, "re-used")
        wire.works(7)


def gaps_between_ids_are_fine():
    with Wire() as wire:
        for stream in (1, 99, 100001, 0xFFFFFFFF):
            wire.works(stream)


def data_on_an_unknown_id_is_refused():
    with Wire() as wire:
        wire.send(frame(1, DATA, b"what"))
        wire.expect(1, 3, "no longer active")
        wire.works(3)
        wire.send(frame(3, DATA, b"late"))
        wire.expect(3, 3, "no longer active")
        wire.works(5)


def a_response_from_a_client_is_ignored():
    with Wire() as wire:
        wire.send(frame(1, RESPONSE, b"\x0a\x00"))
        wire.works(3)


def unknown_methods():
    with Wire() as wire:
        names = [("genwire.v1.Generation", "Nothing"), ("genwire.v1.Nothing", "Health"), ("", ""),
                 ("genwire.v1.Generation", "health"), ("\0" * 300, "\n" * 300)]
        for index, (service, method) in enumerate(names):
            wire.send(frame(2 * index + 1, REQUEST, envelope(service, method)))
            wire.expect(2 * index + 1, 12)
        wire.works(99)


def a_somewhat_too_long_frame():
    with Wire() as wire:
        for stream, length in ((1, MAX_DATA + 1), (5, 5 << 20), (9, 8 << 20)):
            wire.send(frame(stream, REQUEST, bytes(length)))
            wire.expect(stream, 8, str(length))
            wire.works(stream + 2)


def the_longest_frame_is_taken():
    with Wire() as wire:
        room = MAX_DATA - len(envelope("genwire.v1.Control", "Ping", text(1, bytes(4_000_000)))) + 4_000_000
        payload = random.Random(1).randbytes(room)
        request = ping(1, payload)
        assert len(request) == 10 + MAX_DATA, len(request)
        wire.send(request)
        code, answer = wire.response(1)
        assert code == 0 and answer == text(1, payload), code
        wire.works(3)


def a_far_too_long_frame():
    for length in (1 << 30, 0xFFFFFFFF):
        with Wire() as wire:
            wire.works(1)
            wire.send(struct.pack(">IIBB", length, 3, REQUEST, 0), bytes(1000))
            wire.expect(3, 8, str(length))
            assert wire.is_closed(), "still open"
    server_lives()


def an_unreadable_envelope():
    bad = [b"\xff", b"\x0a\xff", b"\x0a\x05abc", b"\x00\x00", b"\x08\x01", b"\x22\x01x", b"\x0f" * 40,
           b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\xff" * 100, b"\x2a\x02\x0a\x7f"]
    with Wire() as wire:
        for index, data in enumerate(bad):
            wire.send(frame(2 * index + 1, REQUEST, data))
            wire.expect(2 * index + 1, 3)
        wire.works(99)


def an_unreadable_message_in_a_good_envelope():
    bad = [b"\xff", b"\x0a\x05abc", b"\x12\x02\x08", b"\x12\x7f\x08\x02", b"\x2a\x03\x11\x00\x00"]
    with Wire() as wire:
        for index, payload in enumerate(bad):
            for offset, method in ((1, "Chat"), (3, "StreamChat")):
                wire.send(generation(4 * index + offset, method, payload))
                wire.expect(4 * index + offset, 3)
        wire.works(99)


def fields_from_the_future_are_ignored():
    with Wire() as wire:
        more = text(5, text(1, "key") + text(2, "value")) + number(77, 7) + text(78, "new")
        wire.send(frame(1, REQUEST, envelope("genwire.v1.Generation", "Health", number(99, 1), 0, more)))
        wire.expect(1, 0)


def an_empty_request_frame():
    with Wire() as wire:
        wire.send(frame(1, REQUEST))
        wire.expect(1, 12)  # an envelope with an empty service and method
        wire.works(3)


def a_flood_of_unknown_fields():
    """4 MiB of two-byte fields would take 187 MB as protobuf-c stores them: rejected or handled, never fatal."""
    with Wire() as wire:
        wire.send(generation(1, "Chat", chat() + b"\x78\x00" * 2_000_000))
        code, _ = wire.response(1)
        assert code in (3, 8), code
        wire.send(generation(3, "Chat", b"\x12\x00" * 2_000_000))  # as many empty messages
        code, _ = wire.response(3)
        assert code in (3, 8), code
        wire.works(5)


# -- How bytes arrive

def byte_by_byte():
    with Wire() as wire:
        for byte in health(1) + ping(3):
            wire.send(bytes([byte]))
        wire.expect_success(1, 3)


def many_frames_in_one_write():
    with Wire() as wire:
        ids = range(1, 2001, 2)
        wire.send(*(ping(stream, str(stream)) for stream in ids))
        answers = {}
        for _ in ids:
            stream, kind, _, data = wire.frame()
            assert kind == RESPONSE and stream not in answers, (stream, kind)
            answers[stream] = outcome(data)
        assert answers == {stream: (0, text(1, str(stream))) for stream in ids}


def frames_cut_at_every_place():
    both = ping(1, b"first") + ping(3, b"second")
    for cut in range(1, len(both)):
        with Wire() as wire:
            wire.send(both[:cut])
            time.sleep(0.0005)
            wire.send(both[cut:])
            wire.expect_success(1, 3)


def a_frame_cut_by_the_connections_end():
    whole = generation(1, "Chat", chat())
    for cut in (1, 9, 10, 11, len(whole) // 2, len(whole) - 1):
        with Wire() as wire:
            wire.send(whole[:cut])
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.is_closed(), f"still open after {cut} bytes"
    server_lives()


def another_protocol():
    for opening in (b"\x16\x03\x01\x02\x00\x01\x00\x01", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\xff" * 64, b"\x01"):
        with Wire() as wire:
            wire.send(opening)
            assert wire.is_closed(), f"still open after {opening!r}"
    server_lives()


def random_bytes():
    good = [health(1), ping(1), generation(1, "Chat", b"\x12\x00"), frame(1, DATA, b"x"), frame(1, DATA, b"", 5)]
    for seed in range(arguments.seeds):
        source = random.Random(seed)
        with Wire() as wire:
            kind = seed % 4
            if kind == 0:  # noise that starts like ttrpc
                data = b"\x00" + source.randbytes(source.randrange(5000))
            elif kind == 1:  # valid headers with noise as payload
                data = b"".join(
                    frame(source.randrange(64), source.randrange(5), source.randbytes(source.randrange(200)),
                          source.randrange(256)) for _ in range(source.randrange(1, 50)))
            elif kind == 2:  # a valid conversation with some bytes changed
                data = bytearray(b"".join(source.choice(good) for _ in range(20)))
                for _ in range(source.randrange(1, 10)):
                    data[source.randrange(1, len(data))] = source.randrange(256)
            else:  # noise as a message
                data = generation(1, source.choice(["Generate", "Chat", "StreamChat", "Answer", "Batch"]),
                                  source.randbytes(source.randrange(500)))
            try:
                wire.send(bytes(data))
                wire.socket.shutdown(socket.SHUT_WR)
            except OSError:
                continue  # the server has closed already, as it may
            assert wire.is_closed(), f"seed {seed}: the connection stays open"
    server_lives()


# -- Calls and streams

def chat_without_messages():
    with Wire() as wire:
        for stream, method in ((1, "Chat"), (3, "StreamChat")):
            wire.send(generation(stream, method, text(1, arguments.model)))
            wire.expect(stream, 3)


def read_stream(wire, stream):
    """The chunks of a stream to its end, each with its fields; raises if it ends with an error."""
    chunks = []
    while True:
        owner, kind, flags, data = wire.frame()
        assert owner == stream, f"stream {owner}"
        if kind == RESPONSE:
            raise AssertionError(f"the stream failed: {outcome(data)}")
        assert kind == DATA, f"type {kind}"
        if flags:
            assert flags == REMOTE_CLOSED | NO_DATA and not data, f"flags {flags}, {len(data)} bytes"
            return chunks
        chunks.append(fields(data))


def streamed_chat():
    with Wire() as wire:
        for stream in (1, 3):
            wire.send(generation(stream, "StreamChat", chat()))
            chunks = read_stream(wire, stream)
            assert [chunk.get(1, 0) for chunk in chunks] == list(range(len(chunks))), "seq has gaps"
            assert [5 in chunk for chunk in chunks].index(True) == len(chunks) - 1, "completed is not the last"
            completed = fields(chunks[-1][5])
            assert completed.get(10, 0) == len(chunks) - 1, f"chunk_count {completed.get(10)} of {len(chunks)}"
            assert completed.get(4) == 1, f"finish reason {completed.get(4)}"
            assert any(2 in chunk for chunk in chunks), "no text"


def the_clients_own_close_of_a_stream_is_fine():
    with Wire() as wire:
        wire.send(generation(1, "StreamChat", chat()), frame(1, DATA, b"", REMOTE_CLOSED | NO_DATA))
        assert 5 in read_stream(wire, 1)[-1]


def end_of(wire, stream):
    """Skips a stream's chunks; returns the Response that must end it."""
    while True:
        owner, kind, flags, data = wire.frame()
        assert owner == stream, f"stream {owner}"
        if kind == RESPONSE:
            return outcome(data)
        assert not flags, "the stream ended well"


def data_on_a_unary_call_in_progress():
    with Wire() as wire:
        wire.send(generation(1, "Chat", chat(model=arguments.slow_model)), frame(1, DATA, b"what"))
        wire.expect(1, 3)
        wire.works(3)


def data_on_a_stream_that_takes_none():
    with Wire() as wire:
        wire.send(generation(1, "StreamChat", chat(model=arguments.slow_model)), frame(1, DATA, b"what"))
        code, said = end_of(wire, 1)
        assert code == 3, (code, said)
        wire.works(3)


def the_transports_deadline():
    for method in ("StreamChat", "Chat"):
        with Wire() as wire:
            wire.send(generation(1, method, chat(model=arguments.slow_model), timeout_ns=300_000_000))
            code, said = end_of(wire, 1)
            assert code == 4, (code, said)
            wire.works(3)


def the_requests_deadline():
    for method in ("StreamChat", "Chat"):
        with Wire() as wire:
            wire.send(generation(1, method, chat(model=arguments.slow_model, deadline_ms=300)))
            code, said = end_of(wire, 1)
            assert code == 4, (code, said)
            wire.works(3)


def a_deadline_in_the_past_or_without_end():
    with Wire() as wire:
        for stream, timeout in ((1, 1), (3, (1 << 64) - 1)):  # the shortest deadline, and -1, which has already passed
            wire.send(generation(stream, "StreamChat", chat(model=arguments.slow_model), timeout_ns=timeout))
            code, said = end_of(wire, stream)
            assert code == 4, (code, said)
        wire.send(generation(5, "StreamChat", chat(), timeout_ns=(1 << 63) - 1))
        assert 5 in read_stream(wire, 5)[-1]


def cancel_from_another_connection():
    for method in ("StreamChat", "Chat"):
        with Wire() as wire, Wire() as other:
            call_id = f"raw-{method}"
            wire.send(generation(1, method, chat(model=arguments.slow_model, call_id=call_id)))
            cancel = envelope("genwire.v1.Control", "Cancel", text(1, call_id))
            stream, until = 1, time.monotonic() + PATIENCE
            while True:  # the connections may be on different loops: the call may not have started yet
                other.send(frame(stream, REQUEST, cancel))
                code, answer = other.response(stream)
                assert code == 0, code
                if fields(answer).get(1) == 1:
                    break
                assert time.monotonic() < until, "no call under this id"
                stream += 2
            code, said = end_of(wire, 1)
            assert code == 1, (code, said)
            wire.works(3)


def cancel_of_nothing():
    with Wire() as wire:
        for stream, call_id in ((1, "no-such-call"), (3, "")):
            wire.send(frame(stream, REQUEST, envelope("genwire.v1.Control", "Cancel", text(1, call_id))))
            code, answer = wire.response(stream)
            assert code == 0 and not fields(answer).get(1), (code, answer)


def other_calls_go_on_beside_a_slow_one():
    with Wire() as wire:
        wire.send(generation(1, "Chat", chat(model=arguments.slow_model, call_id="beside")))
        for stream in range(3, 41, 2):
            wire.works(stream)


def a_connection_that_ends_with_calls_in_progress():
    for method in ("StreamChat", "Chat") * 10:
        with Wire() as wire:
            wire.send(*(generation(2 * n + 1, method, chat(model=arguments.slow_model)) for n in range(5)))
            wire.send(ping(11))
            while wire.frame()[0] != 11:  # the response to the last request: the calls have started
                pass
    server_lives()


always = [
    unary, unknown_type_on_an_odd_id_is_ignored, even_ids_are_refused, a_used_id_is_refused, gaps_between_ids_are_fine,
    data_on_an_unknown_id_is_refused, a_response_from_a_client_is_ignored, unknown_methods, a_somewhat_too_long_frame,
    the_longest_frame_is_taken, a_far_too_long_frame, an_unreadable_envelope, an_unreadable_message_in_a_good_envelope,
    fields_from_the_future_are_ignored, an_empty_request_frame, a_flood_of_unknown_fields, byte_by_byte,
    many_frames_in_one_write, frames_cut_at_every_place, a_frame_cut_by_the_connections_end, another_protocol,
    random_bytes, chat_without_messages, streamed_chat, the_clients_own_close_of_a_stream_is_fine, cancel_of_nothing,
]
with_a_slow_model = [
    data_on_a_unary_call_in_progress, data_on_a_stream_that_takes_none, the_transports_deadline, the_requests_deadline,
    a_deadline_in_the_past_or_without_end, cancel_from_another_connection, other_calls_go_on_beside_a_slow_one,
    a_connection_that_ends_with_calls_in_progress,
]
for check in always + (with_a_slow_model if arguments.slow_model else []):
    checks.run(check.__name__, check)
checks.run("the_server_lives", server_lives)
sys.exit(checks.finish())
