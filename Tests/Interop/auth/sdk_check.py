#!/usr/bin/env python3
"""Google's and Microsoft's own credential libraries against the simulator's token endpoints: if they
accept the simulator as an issuer, Genwire can be tested against it.

Usage: sdk_check.py URL FOLDER, with the simulator's URL and a folder that has key.pem, cert.pem and bundle.pem.
Needs google-auth, azure-identity and cryptography (scripts/sdk-venv.sh).
"""

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from checks import Checks  # noqa: E402

BASE, FOLDER = sys.argv[1].rstrip("/"), Path(sys.argv[2])
HOST = urlsplit(BASE).netloc
# The libraries read these variables when they are imported.
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
os.environ.update(GCE_METADATA_HOST=HOST, GCE_METADATA_IP=HOST, HOME=str(FOLDER))

import google.auth  # noqa: E402
import google.auth.compute_engine  # noqa: E402
import google.auth.identity_pool  # noqa: E402
import google.auth.impersonated_credentials  # noqa: E402
import google.auth.transport.requests  # noqa: E402
import google.oauth2.credentials  # noqa: E402
import google.oauth2.service_account  # noqa: E402
from azure.core.exceptions import ClientAuthenticationError  # noqa: E402
from azure.core.pipeline.transport import RequestsTransport  # noqa: E402
from azure.identity import (  # noqa: E402
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
)

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
REQUEST = google.auth.transport.requests.Request()
SCOPE = "https://cognitiveservices.azure.com/.default"


def service_account():
    return {
        "type": "service_account",
        "client_email": "sa@sim.iam.gserviceaccount.com",
        "private_key": (FOLDER / "key.pem").read_text(),
        "private_key_id": "key-1",
        "token_uri": BASE + "/token",
    }


def fresh(credentials):
    credentials.refresh(REQUEST)
    assert credentials.token.startswith("sim-token-"), credentials.token
    assert credentials.valid
    return credentials


def google_service_account():
    fresh(google.oauth2.service_account.Credentials.from_service_account_info(service_account(), scopes=SCOPES))


def google_user():
    fresh(
        google.oauth2.credentials.Credentials(
            None, refresh_token="1//r", client_id="c", client_secret="s", token_uri=BASE + "/token"
        )
    )


def google_revoked_user():
    user = google.oauth2.credentials.Credentials(
        None, refresh_token="1//revoked", client_id="c", client_secret="s", token_uri=BASE + "/token"
    )
    try:
        user.refresh(REQUEST)
    except google.auth.exceptions.RefreshError as error:
        assert "invalid_grant" in str(error), error
    else:
        raise AssertionError("a token for a revoked user")


def google_metadata():
    assert google.auth.compute_engine._metadata.ping(REQUEST)
    fresh(google.auth.compute_engine.Credentials())
    assert google.auth.compute_engine._metadata.get_project_id(REQUEST) == "sim-project"


def google_impersonation():
    source = google.oauth2.service_account.Credentials.from_service_account_info(service_account(), scopes=SCOPES)
    fresh(
        google.auth.impersonated_credentials.Credentials(
            source_credentials=source,
            target_principal="b@c",
            target_scopes=SCOPES,
            iam_endpoint_override=BASE + "/v1/projects/-/serviceAccounts/b@c:generateAccessToken",
        )
    )


def google_external_account():
    (FOLDER / "subject").write_text("subject-token")
    info = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": BASE + "/v1/token",
        "credential_source": {"file": str(FOLDER / "subject")},
    }
    fresh(google.auth.identity_pool.Credentials.from_info(info, scopes=SCOPES))


def google_default():
    path = FOLDER / "adc.json"
    path.write_text(json.dumps(service_account()))
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(path)
    credentials, _ = google.auth.default(scopes=SCOPES)
    fresh(credentials)


class ToSimulator(RequestsTransport):
    """Redirects requests for Microsoft, which must use https, to the simulator."""

    def send(self, request, **kwargs):
        parts = urlsplit(request.url)
        request.url = BASE + parts.path + ("?" + parts.query if parts.query else "")
        return super().send(request, **kwargs)


def azure(credential):
    token = credential.get_token(SCOPE)
    assert token.token.startswith("sim-token-"), token.token
    assert token.expires_on > 0


OPTIONS = {"disable_instance_discovery": True}


def azure_secret():
    azure(ClientSecretCredential("tenant", "app", "secret", transport=ToSimulator(), **OPTIONS))


def azure_wrong_secret():
    try:
        azure(ClientSecretCredential("tenant", "app", "wrong", transport=ToSimulator(), **OPTIONS))
    except ClientAuthenticationError as error:
        assert "AADSTS7000215" in str(error), error
    else:
        raise AssertionError("a token for a wrong secret")


def azure_certificate():
    path = str(FOLDER / "bundle.pem")
    azure(CertificateCredential("tenant", "app", path, transport=ToSimulator(), **OPTIONS))


def azure_federated():
    # A JWT of any issuer suffices, without a certificate's fingerprint.
    azure(ClientAssertionCredential("tenant", "app", lambda: "e30.e30.x", transport=ToSimulator(), **OPTIONS))


def azure_machine():
    os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = BASE
    azure(ManagedIdentityCredential(client_id="mine"))


def azure_app_service():
    os.environ.update(IDENTITY_ENDPOINT=BASE + "/msi/token", IDENTITY_HEADER="header")
    azure(ManagedIdentityCredential())


checks = Checks()
for check in [
    google_service_account,
    google_user,
    google_revoked_user,
    google_metadata,
    google_impersonation,
    google_external_account,
    google_default,
    azure_secret,
    azure_wrong_secret,
    azure_certificate,
    azure_federated,
    azure_machine,
    azure_app_service,
]:
    checks.run(check.__name__.replace("_", " "), check)
sys.exit(checks.finish())
