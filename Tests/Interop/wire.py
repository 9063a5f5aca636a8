"""The wire format for the interop programs: the necessary part of Protobuf, ttrpc frames, and a connection.

Written byte by byte without a library, so that a bug in a shared runtime cannot hide on both sides.
"""

import socket
import struct

REQUEST, RESPONSE, DATA = 1, 2, 3
REMOTE_CLOSED, NO_DATA = 0x01, 0x04
MAX_DATA = 4 << 20
PATIENCE = 30.0


# -- The necessary part of Protobuf

def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def fields(data):
    """Every field of a message, by number; the last one wins."""
    found, at = {}, 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(data):
        tag = read()
        wire = tag & 7
        if wire == 0:
            found[tag >> 3] = read()
        else:
            size = {1: 8, 5: 4}.get(wire) or read()
            assert at + size <= len(data), "the server sent a cut message"
            found[tag >> 3] = data[at:at + size]
            at += size
    return found


def envelope(service, method, payload=b"", timeout_ns=0, more=b""):
    return (text(1, service) + text(2, method) + text(3, payload)
            + (number(4, timeout_ns) if timeout_ns else b"") + more)


def frame(stream, kind, data=b"", flags=0):
    return struct.pack(">IIBB", len(data), stream, kind, flags) + data


def health(stream):
    return frame(stream, REQUEST, envelope("genwire.v1.Generation", "Health"))


def ping(stream, payload=b"x"):
    return frame(stream, REQUEST, envelope("genwire.v1.Control", "Ping", text(1, payload)))


# -- A connection

class Wire:
    """A connection to `address`: the path of a Unix socket, or HOST:PORT."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        is_unix = not port.isdigit()
        self.socket = socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(address if is_unix else (host, int(port)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def read(self, count):
        data = bytearray()
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            assert piece, f"the server closed the connection after {len(data)} of {count} bytes"
            data += piece
        return bytes(data)

    def frame(self):
        length, stream, kind, flags = struct.unpack(">IIBB", self.read(10))
        assert length <= MAX_DATA, f"a frame of {length} bytes"
        return stream, kind, flags, self.read(length)

    def response(self, stream):
        """Reads a frame, which must be this stream's Response; returns its code and its message or payload."""
        owner, kind, flags, data = self.frame()
        assert (owner, kind, flags) == (stream, RESPONSE, 0), f"stream {owner} type {kind} flags {flags}"
        return outcome(data)

    def expect(self, stream, code, words=""):
        got, said = self.response(stream)
        assert got == code, f"code {got} instead of {code}: {said!r}"
        assert words.encode() in said, f"{said!r} does not say {words!r}"

    def expect_success(self, *streams):
        """Reads one successful Response per stream, in any order."""
        left = set(streams)
        while left:
            stream, kind, _, data = self.frame()
            assert kind == RESPONSE and stream in left, f"stream {stream} type {kind}"
            code, said = outcome(data)
            assert code == 0, f"code {code}: {said!r}"
            left.remove(stream)

    def works(self, stream):
        """Checks that the connection still serves calls."""
        self.send(ping(stream, b"alive"))
        code, payload = self.response(stream)
        assert code == 0 and payload == text(1, "alive"), (code, payload)

    def is_closed(self):
        """Reads until the server closes the connection; returns True if it does."""
        try:
            while self.socket.recv(65536):
                pass
            return True
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False


def outcome(data):
    assert data, "a Response of zero bytes hangs old clients"
    response = fields(data)
    status = fields(response.get(1, b""))
    code = status.get(1, 0)
    return code, status.get(2, b"") if code else response.get(2, b"")
