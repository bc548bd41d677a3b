"""faults.py - what can go wrong at Microsoft, drawn at random."""
import email.utils
import time


def retry_after(dice):
    """A Retry-After in one of the forms that were seen; None: no header."""
    return dice.choice((1, "0", "-3", "2.128", "1,1", None, 12,
                        email.utils.formatdate(time.time() + 2, usegmt=True)))


def _throttle(kind):
    return lambda dice: (kind, "throttle", {"times": dice.randint(1, 5),
                                            "retry_after": retry_after(dice)})


def _error(kind, status, code="InternalServerError", times=3):
    return lambda dice: (kind, "error", {"times": dice.randint(1, times), "status": status,
                                         "code": code})


def _spoil(kind, deed):
    return lambda dice: (kind, deed, {"times": dice.randint(1, 2)})


def _late(when):
    """Over before anybody can take over from a worker that was killed meanwhile."""
    return lambda dice: ("batch", "delay", {"ms": dice.randint(200, 1000), "when": when,
                                            "times": dice.randint(1, 2)})


PASSING = (
    *(_spoil(kind, "lose_answer") for kind in ("batch", "batch", "create", "update", "delete")),
    _spoil("batch", "truncate"), _spoil("list", "truncate"),
    *(_throttle(kind) for kind in ("batch", "create", "update", "delete", "list")),
    _error("any", 503), _error("batch", 500), _error("update", 500), _error("create", 504),
    _error("list", 503), _error("token", 503, "temporarily_unavailable"),
    _error("update", 412, "ErrorIrresolvableConflict", 1),
    _late("before"), _late("after"),
)
"""Draws of a fault: the kind of request, what happens to it, and how."""


def hang(dice):
    """Executed after the client gave up (30 s), and before a quarantine of 35 s is over."""
    return "batch", "delay", {"ms": dice.randint(31000, 33500), "when": "before"}
