"""visit.py - how a person's way through Microsoft's sign-in ends."""
import urllib.parse


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
