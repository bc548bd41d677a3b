"""visit.py - how a person's way through Microsoft's sign-in ends, and what a log must not hold of it."""
import re
import urllib.parse

# What states, nonces, verifiers, codes and tokens look like: 32 bytes or more, in base64 or base64url.
SECRET_SHAPED = re.compile(r"[A-Za-z0-9_-]{43,}|[A-Za-z0-9+/]{43,}={0,2}|eyJ[A-Za-z0-9_-]+")


def outcome(answer):
    """What a callback says, e.g. "connected=1" or "error=state"."""
    assert answer.status_code == 303, f"{answer.status_code} {answer.text}"
    target = urllib.parse.urlparse(answer.headers["Location"])
    assert target.path == "/my-schedule" and not target.netloc
    return target.query


def follow(person, callback):
    return outcome(person.browser.get(callback, allow_redirects=False, timeout=40))


def connect(person, account=None, **asked):
    """The whole way; asked goes into Microsoft's address, e.g. fake_scopes."""
    location = person.begin_consent()
    if asked:
        location += "&" + urllib.parse.urlencode(asked)
    return follow(person, person.consent(location, account))


def assert_tells_no_secrets(log):
    found = SECRET_SHAPED.search(log)
    assert not found, f"the log holds {found.group(0)[:12]}…: {log[max(0, found.start() - 200):]}"
