"""The application proves itself to Microsoft with a secret, a certificate or a federated token."""
import os
import re
import subprocess
import time

import pytest
import requests

from parts.credentials import ASSERTION_TYPE, Certificate, Issuer
from parts.process import Folder
from parts.programs import Fake

CLIENT = "calrelay-client"
SETTINGS = ("MICROSOFT_CLIENT_SECRET", "MICROSOFT_CLIENT_CERTIFICATE_FILE",
            "MICROSOFT_FEDERATED_TOKEN_FILE")


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


# our own programs


def start_with(system, registered, credential):
    """A system whose programs prove themselves with credential alone, and one connected person."""
    system.fake.with_settings(FAKE_CLIENT_SECRET="nobody knows it", **registered)
    for program in (system.connect, system.worker):
        program.with_settings(MICROSOFT_CLIENT_SECRET=None, **credential)
    system.start()
    system.fake.control("POST", "settings", {"assertions_once": True})
    ada, = system.connect_people(1)
    assignment = system.create_assignment(system.create_project(), ada)
    system.wait_calendars_equal_plan()
    return ada, assignment


def private_file(path, content):
    """Written beside and moved into place, as kubelet does."""
    beside = path.with_suffix(".new")
    beside.touch(0o600)
    beside.write_text(content)
    os.replace(beside, path)
    return path


def change_with_new_tokens(system, assignment, status):
    """A change that can reach the calendar only behind a refresh."""
    system.sql("UPDATE calendar_connections SET token_expires_at = now()")
    system.update_assignment_status(assignment, status)


def tokens(system, since=0):
    return [record["status"] for record in system.fake.requests(since, kinds={"token"})]


def findings(program):
    """What --check says of the credential, with its first word."""
    return [line for line in program.check()[1]
            if "MICROSOFT_CLIENT_" in line or "FEDERATED" in line]


def refusal_to_start(program):
    done = subprocess.run(program.argv, env=program.env, capture_output=True, text=True, timeout=20)
    assert done.returncode == 78, done.stderr
    return done.stderr


def assert_nothing_leaked(system):
    for program in (system.connect, system.worker):
        for secret in ("eyJ", "client_assertion", "PRIVATE KEY"):
            assert secret not in program.log_text()


def test_a_certificate_does_what_a_secret_does(system, certificate):
    file = private_file(system.folder / "certificate.pem", certificate.key_pem + certificate.pem)
    ada, assignment = start_with(system, {"FAKE_CLIENT_CERTIFICATE": certificate.pem},
                                 {"MICROSOFT_CLIENT_CERTIFICATE_FILE": file})
    change_with_new_tokens(system, assignment, "confirmed")
    system.wait_calendars_equal_plan()
    change_with_new_tokens(system, assignment, "tentative")
    system.wait_calendars_equal_plan()
    assert tokens(system) == [200, 200, 200], "a sign-in and two refreshes, each with its own jti"
    assert_nothing_leaked(system)

    for program in (system.connect, system.worker):
        assert findings(program)[0].startswith("ok    MICROSOFT_CLIENT_CERTIFICATE: matches its "
                                               "key, 365 days left")
        old = Certificate(days=20)
        private_file(file, old.pem + old.key_pem)
        assert findings(program)[0].startswith("warn ") and "20 days" in findings(program)[0]
        private_file(file, certificate.key_pem + certificate.pem)
        file.chmod(0o644)
        assert "MICROSOFT_CLIENT_CERTIFICATE_FILE" in refusal_to_start(program)
        file.chmod(0o600)
        program.with_settings(MICROSOFT_CLIENT_SECRET="another way")
        several = refusal_to_start(program)
        program.with_settings(MICROSOFT_CLIENT_SECRET=None, MICROSOFT_CLIENT_CERTIFICATE_FILE=None)
        for line in (several, refusal_to_start(program)):
            assert all(name in line for name in SETTINGS) and line.count("\n") == 1
        program.with_settings(MICROSOFT_CLIENT_CERTIFICATE_FILE=file)


def test_a_federated_token_is_taken_anew_from_its_file_and_its_loss_is_nobodys_fault(
        system, issuer):
    file = private_file(system.folder / "token", issuer.token() + "\n")
    ada, assignment = start_with(system, {"FAKE_FEDERATED_KEY": issuer.pem},
                                 {"MICROSOFT_FEDERATED_TOKEN_FILE": file})
    said, minutes = findings(system.worker)[0].rsplit(", ", 1)
    assert said == ("ok    MICROSOFT_FEDERATED_TOKEN_FILE: of https://kubernetes.example for "
                    "system:serviceaccount:calrelay:calrelay-worker")
    assert minutes in ("59 minutes left", "60 minutes left")

    private_file(file, issuer.token(exp=int(time.time()) - 1))
    change_with_new_tokens(system, assignment, "confirmed")
    system.wait_until(lambda: 401 in tokens(system), 20, "Microsoft refuses the old token")
    assert findings(system.worker)[0].startswith("FAIL ")

    file.unlink()
    assert findings(system.connect)[0].startswith("FAIL ") and ada.connection()["status"] == "active"
    asked = len(tokens(system))  # the sign-in, and as many attempts of the worker but one
    system.wait_until(lambda: system.worker.metric(
        "calrelay_worker_token_refreshes_total", result="misconfigured") >= asked, 60,
        "the worker meets the missing file")
    assert len(tokens(system)) == asked
    ada.sign_in()
    answer = ada.browser.get(ada.consent(ada.begin_consent()), allow_redirects=False)
    assert "error=registration" in answer.headers["Location"]

    private_file(file, issuer.token())
    system.wait_calendars_equal_plan(60)
    assert tokens(system)[0] == tokens(system)[-1] == 200
    assert ada.connection()["status"] == "active" and system.dlq_records() == []
    assert_nothing_leaked(system)
