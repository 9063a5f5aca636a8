#!/usr/bin/python3
"""Hostile callers of a running daemon: the resources they may hold, the errors they get, and the callers they must not
harm.

    hostile_callers.py --socket PATH --tcp HOST:PORT --token TOKEN --pid PID --slow-model NAME

The TCP address requires a token, the daemon allows 64 connections, and the slow model never responds.
"""

import argparse
import os
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks
from wire import *

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
for option in ("socket", "tcp", "token", "pid", "slow-model"):
    arguments.add_argument("--" + option, required=True)
arguments = arguments.parse_args()
checks = Checks()
MIB = 1 << 20
# The sanitizers' own memory is several times the daemon's.
SLACK = 10 if os.environ.get("GENWIRE_SANITIZED") else 1


def resident():
    with open(f"/proc/{arguments.pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024


def user(content):
    return text(2, number(1, 2) + text(2, content))


def call(stream, method, payload=b"", service="genwire.v1.Generation", **more):
    return frame(stream, REQUEST, envelope(service, method, payload, **more))


def failure(connection):
    """Reads a response, which must be an error with one ErrorDetail; returns its code, kind and retryability."""
    _, kind, _, data = connection.frame()
    assert kind == RESPONSE, f"a frame of type {kind}"
    status = fields(fields(data).get(1, b""))
    assert status.get(1, 0), "a success"
    detail = fields(status.get(3, b""))
    assert detail.get(1) == b"type.googleapis.com/genwire.v1.ErrorDetail", f"no detail: {status}"
    detail = fields(detail[2])
    return status[1], detail[1].decode(), bool(detail.get(7, 0))


def every_failure_has_a_detail():
    with Wire(arguments.socket) as wire:
        for name, data, expected in [
            ("unknown method", call(1, "Nothing"), (12, "UNSUPPORTED")),
            ("unknown service", call(3, "Chat", service="x"), (12, "UNSUPPORTED")),
            ("even id", call(4, "Health"), (3, "INVALID_REQUEST")),
            ("re-used id", call(3, "Health"), (3, "INVALID_REQUEST")),
            ("unreadable envelope", frame(5, REQUEST, b"\xff\xff"), (3, "INVALID_REQUEST")),
            ("unreadable message", call(7, "Chat", b"\xff\xff"), (3, "INVALID_REQUEST")),
            ("no messages", call(9, "Chat"), (3, "INVALID_REQUEST")),
            ("unknown model", call(11, "Chat", text(1, "none") + user("x")), (5, "UNKNOWN_MODEL")),
            ("much metadata", call(13, "Health", more=text(5, text(1, "k") + text(2, b"v" * 20000))), (8, "INVALID_REQUEST")),
            ("a deadline that has passed", call(15, "Chat", text(1, arguments.slow_model) + user("x"), timeout_ns=1),
             (4, "TIMEOUT")),
            ("not implemented yet", call(17, "Batch"), (12, "UNSUPPORTED")),
        ]:
            wire.send(data)
            code, kind, retryable = failure(wire)
            assert (code, kind) == expected, f"{name}: {code} {kind}"
            assert not retryable or kind == "TIMEOUT", f"{name}: try again"
        wire.send(struct.pack(">IIBB", MAX_DATA + 1, 19, REQUEST, 0), bytes(MAX_DATA + 1))
        assert failure(wire)[:2] == (8, "INVALID_REQUEST")
        wire.works(21)


def wrong_tokens_have_one_too():
    for data in [call(1, "Health"), call(1, "Health", more=text(5, text(1, "authorization") + text(2, "Bearer x"))),
                 call(1, "Hello", text(4, "guess"), service="genwire.v1.Control"),
                 call(1, "Hello", service="genwire.v1.Control")]:
        with Wire(arguments.tcp) as wire:
            # The server ignores whatever follows a wrong token: each guess costs a connection.
            wire.send(data, call(3, "Hello", text(4, arguments.token), service="genwire.v1.Control"))
            assert failure(wire)[:2] == (16, "AUTHENTICATION")
            assert wire.is_closed(), "the connection is still open"


def many_fallbacks_are_refused():
    with Wire(arguments.socket) as wire:
        for stream, count in ((1, 7000), (3, 17)):
            wire.send(call(stream, "Chat", user("x") + text(5, text(14, "none/x") * count)))
            assert failure(wire)[:2] == (3, "INVALID_REQUEST")
        wire.works(5)


def a_deadline_of_centuries_is_none():
    with Wire(arguments.socket) as wire:
        # Milliseconds that overflow to almost 0 when converted to nanoseconds in 64 bits.
        wire.send(call(1, "Chat", user("x") + number(7, 18446744073710)))
        wire.expect_success(1)


def requests_in_progress_have_a_budget():
    before = resident()
    with Wire(arguments.socket) as wire:
        body = text(1, arguments.slow_model) + user(b"x" * (4 * MIB - 4096))
        for index in range(40):
            wire.send(call(2 * index + 1, "Chat", body))
        wire.send(ping(101))
        refused = 0
        while True:  # the ping's response follows all refusals
            stream, _, _, data = wire.frame()
            if stream == 101:
                break
            detail = fields(fields(fields(fields(data)[1])[3])[2])
            assert (fields(fields(data)[1])[1], detail[1], detail.get(7)) == (8, b"RATE_LIMIT", 1), data[:200]
            refused += 1
        assert 30 <= refused < 40, f"{refused} of 40 refused"
        grown = resident() - before
        print(f"  {refused} of 40 refused; {grown / MIB:.0f} MiB")
        assert grown < SLACK * 160 * MIB, f"{grown / MIB:.0f} MiB"
        wire.works(103)


def strangers_hold_little_and_lock_nobody_out():
    before = resident()
    # Each announces 4 MiB and sends what the kernel accepts; then each starts a permitted frame and stalls.
    greedy = [Wire(arguments.tcp) for _ in range(60)]
    for wire in greedy:
        wire.socket.setblocking(False)
        try:
            wire.socket.send(struct.pack(">IIBB", MAX_DATA, 1, REQUEST, 0) + bytes(MIB))
        except (BlockingIOError, ConnectionError):
            pass
    patient = [Wire(arguments.tcp) for _ in range(200)]
    for wire in patient:
        try:
            wire.send(struct.pack(">IIBB", 60000, 1, REQUEST, 0), bytes(50000))
        except ConnectionError:
            pass
    # All 64 places of known callers are still free.
    known = [Wire(arguments.socket) for _ in range(60)]
    for wire in known:
        wire.works(1)
    with Wire(arguments.tcp) as wire:
        wire.send(call(1, "Health", more=text(5, text(1, "authorization") + text(2, "Bearer " + arguments.token))))
        wire.expect(1, 0)
    grown = resident() - before
    print(f"  {grown / MIB:.1f} MiB for 260 strangers")
    assert grown < SLACK * 32 * MIB, f"{grown / MIB:.0f} MiB"
    for wire in greedy + patient + known:
        wire.socket.close()


def strangers_are_ended_in_time():
    with Wire(arguments.tcp) as wire:
        wire.send(b"\0\0")
        begun = time.monotonic()
        assert wire.is_closed(), "still open after half a minute"
        print(f"  after {time.monotonic() - begun:.1f} s")


checks.run("every failure has a detail", every_failure_has_a_detail)
checks.run("many fallbacks are refused", many_fallbacks_are_refused)
checks.run("a deadline of centuries is none", a_deadline_of_centuries_is_none)
checks.run("requests in progress have a budget", requests_in_progress_have_a_budget)
checks.run("strangers hold little and lock nobody out", strangers_hold_little_and_lock_nobody_out)
checks.run("strangers are ended in time", strangers_are_ended_in_time)
checks.run("wrong tokens have a detail too", wrong_tokens_have_one_too)
sys.exit(checks.finish())
