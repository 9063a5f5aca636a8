"""A Genwire client in one file: ttrpc frames over a socket, message classes from Genwire's .proto files.

Needs Python 3.9 or later, the `protobuf` package and the `protoc` program (Debian: python3-protobuf,
protobuf-compiler).

    from genwire import Client, messages as m

    with Client() as client:
        request = m.ChatRequest(messages=[m.Message(role=m.ROLE_USER, content="Hello")])
        for chunk in client.stream("Generation", "StreamChat", request):
            print(chunk.text, end="", flush=True)

A client may have several streams open at the same time, but must be used by one thread only.
"""

import collections
import os
import pwd
import socket
import stat
import struct
import subprocess
import tempfile
import time
import uuid

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

REQUEST, RESPONSE, DATA = 1, 2, 3  # frame types
REMOTE_CLOSED, NO_DATA = 0x01, 0x04  # frame flags
MAX_DATA = 4 << 20
HEADER = struct.Struct(">IIBB")  # length, stream id, type, flags
PACKAGE = "genwire.v1"
SYSTEM_FOLDER = "/run/genwire"  # the folder of the system daemon's socket

CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS "
    "UNAUTHENTICATED"
).split()


class RpcError(Exception):
    """The error of a failed call: `code` (gRPC status code), `message`, `detail` (`genwire.v1.ErrorDetail` or None)."""

    def __init__(self, code, message, detail=None):
        name = CODES[code] if 0 <= code < len(CODES) else str(code)
        super().__init__(f"{name}: {message}")
        self.code, self.message, self.detail = code, message, detail


class Schema:
    """All messages, enum values and services of the .proto files, which are compiled on first use."""

    def __init__(self):
        self._pool = None

    def __getattr__(self, name):
        """Returns a message class (`messages.ChatRequest`) or the number of an enum value (`messages.ROLE_USER`)."""
        if name.startswith("__"):
            raise AttributeError(name)
        for file in self.load().values():
            if file.package != PACKAGE:
                continue
            if name in file.message_types_by_name:
                return self.type_named(f"{PACKAGE}.{name}")
            for enum in file.enum_types_by_name.values():
                if name in enum.values_by_name:
                    return enum.values_by_name[name].number
        raise AttributeError(f"{PACKAGE} has no {name}")

    def load(self):
        if self._pool is None:
            folder = os.environ.get("GENWIRE_PROTO") or os.path.join(
                os.path.dirname(os.path.abspath(__file__)), "..", "..", "Proto")
            with tempfile.NamedTemporaryFile() as out:
                subprocess.run(
                    ["protoc", "-I", folder, "--include_imports", f"--descriptor_set_out={out.name}",
                     "genwire/v1/generation.proto", "ttrpc/ttrpc.proto"], check=True)
                files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
            pool = descriptor_pool.DescriptorPool()
            for file in files.file:  # protoc lists imported files first
                pool.AddSerializedFile(file.SerializeToString())
            self._files = {file.name: pool.FindFileByName(file.name) for file in files.file}
            self._pool = pool
        return self._files

    def type_of(self, descriptor):
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        return message_factory.MessageFactory(self._pool).GetPrototype(descriptor)

    def type_named(self, full_name):
        self.load()
        return self.type_of(self._pool.FindMessageTypeByName(full_name))

    def response_type(self, service, method):
        """Returns the class of a method's responses; None if the .proto does not define the method."""
        self.load()
        try:
            found = self._pool.FindServiceByName(f"{PACKAGE}.{service}").methods_by_name[method]
        except KeyError:
            return None
        return self.type_of(found.output_type)


messages = Schema()


def default_paths():
    """Returns the paths to try if no address is given: the user's own socket, then the system's."""
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    if not folder.startswith("/"):
        folder = f"/tmp/genwire-{os.getuid()}"
    return [f"{folder}/genwire.sock", f"{SYSTEM_FOLDER}/genwire.sock"]


def owner_by_root(folder):
    """Returns the owner of `folder` if only root may write in its parents and only the owner in it; else None."""
    owner, prefix = 0, ""
    for name in folder.split("/"):
        prefix += name + "/"
        info = os.lstat(prefix.rstrip("/") or "/")
        if owner != 0 or not stat.S_ISDIR(info.st_mode) or info.st_mode & 0o022:
            return None
        owner = info.st_uid
    return owner


def check_server(connected, path, user):
    """Raises PermissionError unless the kernel reports that the server runs as this user, root or `user`."""
    credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
    server = struct.unpack("iII", credentials)[1]
    if user and not str(user).isdigit():
        user = pwd.getpwnam(user).pw_uid
    if server in (0, os.geteuid()) or (user not in (None, "") and server == int(user)):
        return
    if path == f"{SYSTEM_FOLDER}/genwire.sock" and server == owner_by_root(SYSTEM_FOLDER):
        return
    raise PermissionError(
        f"unix:{path}: the server runs as user {server}, not as you ({os.geteuid()}) or root, so nothing was "
        f"sent to it; if user {server} may see your requests, set GENWIRE_SERVER_USER={server}")


class Client:
    """A connection to `unix:PATH` or `tcp:HOST:PORT`; by default to GENWIRE_CONNECT, else to the default socket."""

    def __init__(self, address=None, connect_timeout=10.0, token=None, server_user=None):
        """`token` (or GENWIRE_TOKEN) is sent with every call, for servers on TCP that require one. `server_user` (or
        GENWIRE_SERVER_USER), a name or number, is a user that a server on a Unix socket may run as, besides this user
        and root. If it runs as any other user, PermissionError is raised and nothing is sent to it.
        """
        self._token = token or os.environ.get("GENWIRE_TOKEN", "")
        user = os.environ.get("GENWIRE_SERVER_USER", "") if server_user is None else server_user
        address = address or os.environ.get("GENWIRE_CONNECT", "")
        scheme, _, rest = address.partition(":")
        if not address:
            own, system = default_paths()
            try:
                self._connect_unix(own, connect_timeout, user)
            except (FileNotFoundError, ConnectionRefusedError):
                if not os.path.exists(system):
                    raise
                self._connect_unix(system, connect_timeout, user)
        elif scheme == "unix" and rest:
            self._connect_unix(rest, connect_timeout, user)
        elif scheme == "tcp" and rest:
            host, _, port = rest.rpartition(":")
            self._socket = socket.create_connection((host.strip("[]"), int(port)), connect_timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            raise ValueError(f"address {address!r}: expected unix:PATH or tcp:HOST:PORT")
        self._last_id = -1
        self._waiting = {}  # stream id -> frames received while another stream was read
        self._broken = None

    def _connect_unix(self, path, timeout, user):
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(timeout)
            self._socket.connect(path)
            check_server(self._socket, path, user)
        except BaseException:
            self._socket.close()
            raise

    def close(self):
        self._socket.close()
        self._broken = self._broken or "the client is closed"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, service, method, request=None, timeout=None):
        """Makes a unary call and returns the response, or raises RpcError. `timeout` is in seconds; None for none."""
        stream_id, until = self._open(service, method, request, timeout, 0)
        try:
            kind, _, data = self._next(stream_id, until)
        finally:
            self._waiting.pop(stream_id, None)
        if kind != RESPONSE:
            raise RpcError(13, f"expected a response, received a frame of type {kind}")
        return self._decode(service, method, self._payload(data))

    def stream(self, service, method, request=None, timeout=None):
        """Makes a streaming call: yields its messages, and raises RpcError if it fails.

        The call begins with the first `next`. Leaving the iterator early cancels it.
        """
        if request is not None and "call_id" in request.DESCRIPTOR.fields_by_name and not request.call_id:
            named = type(request)()
            named.CopyFrom(request)
            named.call_id = uuid.uuid4().hex
            request = named
        stream_id, until = self._open(service, method, request, timeout, REMOTE_CLOSED)
        ended = False
        try:
            while True:
                kind, flags, data = self._next(stream_id, until)
                if kind == RESPONSE:
                    ended = True
                    self._payload(data)  # raises, because only a failed stream ends with a response
                    return
                if not flags & NO_DATA:
                    yield self._decode(service, method, data)
                if flags & REMOTE_CLOSED:
                    ended = True
                    return
        finally:
            if ended or self._broken or not getattr(request, "call_id", ""):
                self._waiting.pop(stream_id, None)
            else:
                self._abandon(stream_id, request.call_id)

    def cancel(self, call_id):
        """Cancels the call of this caller with `call_id`, on any connection; returns False if there is none."""
        return self.call("Control", "Cancel", messages.CancelRequest(call_id=call_id)).found

    # -- frames

    def _open(self, service, method, request, timeout, flags):
        if self._broken:
            raise RpcError(14, self._broken)
        envelope = messages.type_named("ttrpc.Request")(
            service=f"{PACKAGE}.{service}", method=method,
            payload=request.SerializeToString() if request is not None else b"",
            timeout_nano=int(timeout * 1e9) if timeout else 0)
        if self._token:
            envelope.metadata.add(key="authorization", value="Bearer " + self._token)
        data = envelope.SerializeToString()
        if len(data) > MAX_DATA:
            raise RpcError(8, f"the request has {len(data)} bytes; ttrpc allows at most {MAX_DATA}")
        self._last_id += 2
        self._waiting[self._last_id] = collections.deque()
        self._socket.settimeout(None)
        try:
            self._socket.sendall(HEADER.pack(len(data), self._last_id, REQUEST, flags) + data)
        except OSError as error:
            raise self._break(str(error)) from error
        # The server enforces the timeout; two seconds later, the client gives up on a server that does not respond.
        return self._last_id, time.monotonic() + timeout + 2 if timeout else None

    def _next(self, stream_id, until):
        """Returns the stream's next frame. Frames of other streams received before it are queued for them."""
        while not self._waiting[stream_id]:
            if self._broken:
                raise RpcError(14, self._broken)
            length, owner, kind, flags = HEADER.unpack(self._read(HEADER.size, until))
            if length > MAX_DATA:
                raise self._break(f"the server announced a frame of {length} bytes")
            data = self._read(length, until)
            if owner in self._waiting:  # otherwise the frame belongs to an abandoned call
                self._waiting[owner].append((kind, flags, data))
        return self._waiting[stream_id].popleft()

    def _read(self, count, until):
        data = bytearray()
        while len(data) < count:
            left = None if until is None else until - time.monotonic()
            try:
                if left is not None and left <= 0:
                    raise socket.timeout()
                self._socket.settimeout(left)
                piece = self._socket.recv(count - len(data))
            except socket.timeout:
                # Part of a frame may have been read: the connection is unusable.
                self._break("the connection was closed after an earlier call timed out")
                raise RpcError(4, "the server did not respond in time") from None
            except OSError as error:
                raise self._break(str(error)) from error
            if not piece:
                raise self._break("the server closed the connection")
            data += piece
        return bytes(data)

    def _break(self, why):
        self._broken = why
        self._socket.close()
        return RpcError(14, why)

    def _abandon(self, stream_id, call_id):
        """Cancels a stream that is no longer read; its remaining frames are dropped when they are received."""
        self._waiting.pop(stream_id, None)
        try:
            self.call("Control", "Cancel", messages.CancelRequest(call_id=call_id), timeout=5)
        except RpcError:
            pass  # a connection that has failed needs no cancellation

    # -- messages

    def _decode(self, service, method, payload):
        response = messages.response_type(service, method)
        return payload if response is None else response.FromString(payload)

    def _payload(self, data):
        response = messages.type_named("ttrpc.Response").FromString(data)
        if response.status.code == 0:
            return response.payload
        detail = None
        for any_value in response.status.details:
            if any_value.type_url.endswith(f"/{PACKAGE}.ErrorDetail"):
                detail = messages.ErrorDetail.FromString(any_value.value)
        raise RpcError(response.status.code, response.status.message, detail)
