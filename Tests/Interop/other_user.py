"""A call as another user. Usage: other_user.py SOCKET UID CODE [GROUP …]: CODE is the
expected status of Health; the groups are the process's supplementary groups."""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "clients", "python"))
from genwire import Client, RpcError, messages as m  # noqa: E402

path, user, wanted = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
m.load()  # reads files that the other user may not read
os.setgroups([int(group) for group in sys.argv[4:]])
os.setgid(user)
os.setuid(user)
code = 0
with Client("unix:" + path) as client:
    try:
        client.call("Generation", "Health", m.HealthRequest())
    except RpcError as error:
        code = error.code
assert code == wanted, f"code {code} instead of {wanted}"
print("ok")
