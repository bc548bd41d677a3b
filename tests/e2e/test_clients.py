"""Microsoft's own clients take the fake for Microsoft: over TLS, with an authority of the tests."""
import json

import pytest

from parts import node
from parts.credentials import Certificate, Issuer
from parts.microsoft import PROPERTY
from parts.nghttpx import Authority, Nghttpx
from parts.process import ROOT, Folder
from parts.programs import Fake

CLIENTS = ROOT / "tests/clients"
TENANT = "9d2d5f1e-8c1b-4b7e-9f43-0a1f3c6a7b10"
CALLBACK = "http://127.0.0.1:8080/api/auth/microsoft/callback"
ANNA = "anna@example.org"
CERTIFICATE, ISSUER = Certificate(), Issuer()
CREDENTIALS = [{"clientSecret": "calrelay-secret"},
               {"clientCertificate": {"thumbprintSha256": CERTIFICATE.thumbprint_hex(),
                                      "privateKey": CERTIFICATE.key_pem}},
               {"clientAssertion": ISSUER.token()}]


@pytest.fixture(scope="module")
def running():
    folder = Folder("clients")
    fake = Fake("fake", folder.path, {
        "FAKE_REDIRECT_URI": CALLBACK, "FAKE_CLIENT_CERTIFICATE": CERTIFICATE.pem,
        "FAKE_FEDERATED_KEY": ISSUER.pem}).start().wait_ready()
    front = Nghttpx([f"127.0.0.1,{fake.port}"], Authority(folder.path)).start()
    yield fake, front, folder.path / "authority.pem"
    front.process.stop()
    assert fake.sigterm() == 0, fake.log_tail()
    folder.remove()


@pytest.fixture
def fake(running):
    running[0].control("POST", "reset")
    running[0].add_account(ANNA, "Anna Berg")
    return running[0]


@pytest.fixture
def run(running, fake):
    """Runs one of the scripts against the fake behind TLS."""
    _fake, front, authority = running
    world = {"url": front.url, "tenant": TENANT, "client_id": "calrelay-client",
             "redirect_uri": CALLBACK, "account": ANNA, "property": PROPERTY,
             "credentials": CREDENTIALS}
    return lambda script: node.run(CLIENTS / script, json.dumps(world),
                                   env={"NODE_EXTRA_CA_CERTS": str(authority)})


def test_msal_signs_in_refreshes_and_is_told_what_went_wrong(fake, run):
    run("msal.js")

    answers = [record["status"] for record in fake.requests(kinds={"token"})]
    assert answers == [200, 400, 200,  # a sign-in, its code again, a sign-in with another nonce
                       200, 200,  # a silent refresh, one by the refresh token
                       *[200, 200] * len(CREDENTIALS),  # a code and a refresh token with each
                       401, 400, 400]  # a wrong secret, more scopes, somebody revoked


def test_the_graph_client_keeps_a_calendar(fake, run):
    run("graph.js")

    assert sorted(event["assignment"] for event in fake.events(ANNA)) == sorted(
        [*(f"b-{number}" for number in range(12)), "c-1"])
    made = [record["status"] for record in fake.writes() if record["assignment"] == "c-1"]
    assert made == [429, 201]
    assert {record["status"] for record in fake.requests(kinds={"update"})} == {200, 412}
