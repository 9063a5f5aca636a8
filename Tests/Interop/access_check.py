"""Tokens from Python. Usage: access_check.py ADDRESS TOKEN [OTHER_TOKEN]"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "clients", "python"))
from genwire import Client, RpcError, messages as m  # noqa: E402

address, token = sys.argv[1:3]


def refused(body):
    try:
        body()
    except RpcError as error:
        assert error.code == 16, error
    else:
        raise AssertionError("it was let in")


with Client(address) as client:
    refused(lambda: client.call("Generation", "Health", m.HealthRequest()))
with Client(address) as client:
    refused(lambda: client.call("Control", "Hello", m.HelloRequest(token="wrong-token-0123456789")))
with Client(address, token=token) as client:
    assert client.call("Generation", "Health", m.HealthRequest()).status == "serving"
# After Hello the connection is authenticated; streams of stock clients carry no metadata.
with Client(address) as client:
    assert client.call("Control", "Hello", m.HelloRequest(token=token)).server == "genwired"
    request = m.ChatRequest(messages=[m.Message(role=m.ROLE_USER, content="hello")])
    chunks = list(client.stream("Generation", "StreamChat", request))
    assert chunks[-1].WhichOneof("event") == "completed"

if len(sys.argv) > 3:
    ended = []

    def run():
        with Client(address, token=token) as client:
            request = m.ChatRequest(
                model="slow", call_id="mine", messages=[m.Message(role=m.ROLE_USER, content="hello")])
            try:
                list(client.stream("Generation", "StreamChat", request))
            except RpcError as error:
                ended.append(error.code)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.5)
    with Client(address, token=sys.argv[3]) as other:
        assert not other.cancel("mine"), "another caller cancelled"
    deadline = time.monotonic() + 30
    with Client(address, token=token) as own:
        while not own.cancel("mine") and time.monotonic() < deadline:
            time.sleep(0.05)
    thread.join(30)
    assert ended == [1], ended
print("ok")
