#!/usr/bin/env python3
"""A strict token endpoint: it checks a JWT's signature, header and claims with the `cryptography` package, for the
grants of a Google service account (/token) and of an Entra application (/TENANT/oauth2/v2.0/token).

Usage: token_server.py CERTIFICATE.pem. Listens on a free port of 127.0.0.1 and writes `listening on PORT` to standard
error; a valid request gets the token `verified-N`, an invalid one a 400 response with the reason.
"""

import base64
import hashlib
import http.server
import json
import signal
import sys
import time
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

CERTIFICATE = x509.load_pem_x509_certificate(open(sys.argv[1], "rb").read())
DER = CERTIFICATE.public_bytes(serialization.Encoding.DER)
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def decoded(text):
    assert "=" not in text, "padding in the JWT"
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def verified(token):
    """Returns the header and claims of a JWT; raises unless its signature matches the certificate."""
    head, body, signature = token.split(".")
    header = json.loads(decoded(head))
    assert header["typ"] == "JWT"
    pads = {
        "RS256": padding.PKCS1v15(),
        # A salt of exactly the digest's length (RFC 7518 §3.5).
        "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size),
    }
    CERTIFICATE.public_key().verify(
        decoded(signature), f"{head}.{body}".encode(), pads[header["alg"]], hashes.SHA256()
    )
    return header, json.loads(decoded(body))


def check_times(claims, longest):
    now = time.time()
    assert claims["iat"] <= now + 1 < claims["exp"], "not valid now"
    assert claims["exp"] - claims["iat"] <= longest, "valid for too long"


def check_google(form):
    assert form["grant_type"] == BEARER, "grant_type"
    header, claims = verified(form["assertion"])
    assert header["alg"] == "RS256", "alg"
    assert header["kid"] == "key-1", "kid"
    assert claims["aud"] == "https://oauth2.googleapis.com/token", "aud"
    assert "@" in claims["iss"] and claims["scope"], "iss or scope"
    check_times(claims, 3600)


def check_entra(form, url, tenant):
    assert form["grant_type"] == "client_credentials", "grant_type"
    assert form["scope"].endswith("/.default"), "scope"
    assert form["client_assertion_type"] == ASSERTION, "client_assertion_type"
    header, claims = verified(form["client_assertion"])
    if tenant == "adfs":
        assert header["alg"] == "RS256", "alg"
        assert header["x5t"] == encoded(hashlib.sha1(DER).digest()), "x5t"
    else:
        assert header["alg"] == "PS256", "alg"
        assert header["x5t#S256"] == encoded(hashlib.sha256(DER).digest()), "x5t#S256"
    assert claims["aud"] == url, "aud"
    assert claims["iss"] == claims["sub"] == form["client_id"], "iss or sub"
    assert len(claims["jti"]) == 36, "jti"
    check_times(claims, 600)


class Handler(http.server.BaseHTTPRequestHandler):
    count = 0

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(text, strict_parsing=True).items()}
        try:
            assert self.headers["Content-Type"] == "application/x-www-form-urlencoded", "Content-Type"
            if self.path == "/token":
                check_google(form)
            else:
                check_entra(form, f"http://{self.headers['Host']}{self.path}", self.path.split("/")[1])
            Handler.count += 1
            status, answer = 200, {"access_token": f"verified-{Handler.count}", "expires_in": 3599}
        except Exception as error:
            status = 400
            answer = {"error": "invalid_grant", "error_description": f"{type(error).__name__}: {error}"}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


# A program started from a Dispatch thread inherits that thread's signal mask, which blocks every signal.
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(f"listening on {server.server_port}", file=sys.stderr, flush=True)
server.serve_forever()
