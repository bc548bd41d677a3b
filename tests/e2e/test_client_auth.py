"""The application proves itself to Microsoft with a secret, a certificate or a federated token."""
import re
import time

import pytest
import requests

from parts.credentials import ASSERTION_TYPE, Certificate, Issuer
from parts.process import Folder
from parts.programs import Fake

CLIENT = "calrelay-client"


@pytest.fixture(scope="module")
def certificate():
    return Certificate()


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture(scope="module")
def fake(certificate, issuer):
    folder = Folder("fake")
    fake = Fake("fake", folder.path, {"FAKE_CLIENT_CERTIFICATE": certificate.pem,
                                      "FAKE_FEDERATED_KEY": issuer.pem}).start().wait_ready()
    yield fake
    assert fake.sigterm() == 0, fake.log_tail()
    assert not re.search(r"Sanitizer|runtime error", fake.log_text()), fake.log_text()
    folder.remove()


def token_url(fake):
    return f"{fake.url}/common/oauth2/v2.0/token"


def refusal(fake, assertion, headers=None, **changes):
    """(HTTP status, error, AADSTS number): a good client with a bad grant is 9002313."""
    form = {"client_id": CLIENT, "grant_type": "refresh_token", "refresh_token": "none",
            "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **changes}
    answer = requests.post(token_url(fake), data=form, headers=headers, timeout=10)
    return answer.status_code, answer.json()["error"], answer.json()["error_codes"][0]


TRUSTED = (400, "invalid_grant", 9002313)


def refused(number):
    return 401, "invalid_client", number


def test_the_fake_takes_an_assertion_of_the_registered_certificate_and_no_other(fake, certificate):
    url, now, other = token_url(fake), int(time.time()), Certificate()

    def answer(signer=certificate, **changes):
        return refusal(fake, signer.assertion(CLIENT, url, **changes))
    assert answer() == TRUSTED
    assert answer(algorithm="RS256") == refused(700027)
    assert answer(header={"typ": ""}) == refused(700027)
    assert answer(other) == refused(700027)
    assert answer(other, header={"x5t#S256": certificate.thumbprint()}) == refused(700027)
    assert answer(jti=None) == refused(700027)
    assert answer(iss="another") == answer(sub="another") == refused(700021)
    assert answer(aud=url.replace("common", "organizations")) == refused(700023)
    assert answer(exp=now - 1) == answer(exp=now + 700) == refused(700024)
    assert answer(nbf=now + 60) == answer(nbf=None) == refused(700024)
    assert refusal(fake, "no.jwt") == refusal(fake, "..") == refused(700027)
    good = certificate.assertion(CLIENT, url)
    assert refusal(fake, good, client_assertion_type=None) == (400, "invalid_request", 900144)
    assert refusal(fake, good, client_assertion_type="jwt") == (400, "invalid_request", 900561)
    assert refusal(fake, good, client_secret="x") == (400, "invalid_request", 900561)
    through_tls = certificate.assertion(CLIENT, url.replace("http:", "https:"))
    assert refusal(fake, through_tls, {"X-Forwarded-Proto": "https"}) == TRUSTED


def test_the_fake_takes_an_assertion_once_where_it_is_told_to(fake, certificate):
    one, two = (certificate.assertion(CLIENT, token_url(fake)) for _ in range(2))
    assert refusal(fake, one) == refusal(fake, one) == TRUSTED
    fake.control("POST", "settings", {"assertions_once": True})
    assert refusal(fake, two) == TRUSTED
    assert refusal(fake, two) == refusal(fake, one) == refused(700027)


def test_the_fake_takes_a_token_of_the_trusted_issuer_and_no_other(fake, issuer):
    now = int(time.time())

    def answer(signer=issuer, **changes):
        return refusal(fake, signer.token(**changes))
    assert answer() == answer(account="calrelay-connect") == TRUSTED
    assert answer(aud="api://AzureADTokenExchange") == TRUSTED
    assert answer(Issuer()) == refused(700027)
    assert answer(iss="https://other.example") == refused(700211)
    assert answer(aud=["https://kubernetes.default.svc"]) == refused(700212)
    assert answer(account="another") == refused(700213)
    assert answer(exp=now - 1) == refused(700024)
