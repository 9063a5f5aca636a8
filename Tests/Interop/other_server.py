"""A server that another user runs: prints how many bytes each connection sent. Usage: other_server.py SOCKET UID"""

import os
import signal
import socket
import sys

signal.pthread_sigmask(signal.SIG_SETMASK, [])  # the tests may have been started with SIGTERM blocked
path, user = sys.argv[1], int(sys.argv[2])
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o666)
os.setgroups([])
os.setgid(user)
os.setuid(user)
listener.listen(16)  # the kernel reports the user that calls `listen` to clients
print("ready", file=sys.stderr, flush=True)
while True:
    connection = listener.accept()[0]
    print(f"got {len(connection.recv(65536))} bytes", file=sys.stderr, flush=True)
    connection.close()
