"""scenes.py - the states in which a person may find My Schedule, as rows in PostgreSQL."""

EMAIL = "ada.lovelace@example.com"
LONG = "x" * 60  # a word that breaks nowhere must not make the page too wide


class Stage:
    """One person's rows, without a worker that would change them."""

    def __init__(self, system, person):
        self.system, self.person = system, person

    def play(self, name):
        """From now on the person is in that state."""
        self.clear()
        SCENES[name][0](self)

    def clear(self):
        for table in ("calendar_connections", "calendar_sync_requests"):
            self.system.sql(f"DELETE FROM {table} WHERE user_id = %s", self.person.user_id)

    def connection(self, status="active", reason=None, synced="3 minutes", email=EMAIL, wait=None):
        """Never opened: connect calls nobody with these tokens."""
        self.system.sql(
            "INSERT INTO calendar_connections (user_id, access_token, refresh_token, "
            "token_expires_at, outlook_email, status, status_reason, created_at, last_synced_at, "
            "not_before) VALUES (%s, 'x', 'x', now(), %s, %s, %s, now() - interval '40 days', "
            "now() - %s::interval, now() + %s::interval)",
            self.person.user_id, email, status, reason, synced, wait)

    def events(self, count, state="synced", error=None):
        self.system.sql(
            "INSERT INTO synced_calendar_events (assignment_id, connection_id, external_event_id, "
            "state, last_error) SELECT gen_random_uuid(), id, 'AAk=', %s, %s "
            "FROM calendar_connections, generate_series(1, %s) WHERE user_id = %s",
            state, error, count, self.person.user_id)

    def request(self, kind="full", state="done", age="5 minutes", done=0, total=0, failed=0,
                error=None, remove=False):
        self.system.sql(
            "INSERT INTO calendar_sync_requests (user_id, kind, state, done, total, failed, error, "
            "remove_events, created_at, finished_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, "
            "now() - %s::interval, CASE WHEN %s IN ('done', 'failed') THEN now() END)",
            self.person.user_id, kind, state, done, total, failed, error, remove, age, state)

    def progress(self, done):
        self.system.sql("UPDATE calendar_sync_requests SET done = %s, total = 40 "
                        "WHERE user_id = %s AND state = 'running'", done, self.person.user_id)

    def finish(self):
        self.system.sql("UPDATE calendar_sync_requests SET state = 'done', done = total, "
                        "finished_at = now() WHERE user_id = %s", self.person.user_id)

    def filed(self, kind):
        """In what state that kind's requests are, which a person filed during the last minute."""
        rows = self.system.sql("SELECT state FROM calendar_sync_requests WHERE user_id = %s AND "
                               "kind = %s AND created_at > now() - interval '1 minute'",
                               self.person.user_id, kind)
        return [row["state"] for row in rows]


def not_connected(_stage):
    pass


def connected(stage):
    stage.connection()
    stage.events(38)
    stage.request(done=38, total=38)


def just_synced(stage):
    """Asked for 20 seconds ago: the next one has to wait."""
    stage.connection(synced="10 seconds")
    stage.events(38)
    stage.request(age="20 seconds", done=38, total=38)


def long_words(stage):
    stage.connection(email=f"{LONG}@{LONG}.example")
    stage.events(1, "failed", f"Microsoft answered 400 {LONG} to create")


def about_to_sync(stage):
    stage.connection(synced=None)
    stage.request(state="requested", age="1 second")


def late(stage):
    stage.connection(synced=None)
    stage.request(state="requested", age="10 minutes")


def syncing(stage):
    stage.connection()
    stage.events(38)
    stage.request(state="running", age="10 seconds", done=12, total=40)


def failed(stage):
    """With every kind of reason, and more of them than are named."""
    stage.connection()
    stage.events(38)
    for number in range(7):
        stage.events(2, "failed", f"Microsoft answered 40{number} ErrorInvalidRequest to create")
    stage.events(1, "failed", "something that nobody has words for")
    stage.events(3, "deleted", "the project has no start or end date")
    stage.events(2, "deleted", "its booking status has no event")
    stage.events(1, "hidden")
    stage.request(done=38, total=53, failed=15)


def sync_failed(stage):
    stage.connection()
    stage.events(38)
    stage.request(state="failed", error="38 of 40 events would go without a person's word")


def throttled(stage):
    stage.connection(reason="throttled", wait="5 minutes")
    stage.events(30)


def needs_reconnect(stage):
    stage.connection("needs_reconnect", "consent_revoked")
    stage.events(38)
    stage.request(state="failed", error="Outlook has to be connected again")


def disconnecting(stage):
    stage.connection("disconnecting")
    stage.events(28)
    stage.request("disconnect", "running", "10 seconds", done=10, total=38, remove=True)


def removed(stage):
    stage.request("disconnect", done=38, total=38, remove=True)


def remaining(stage):
    stage.request("disconnect", done=36, total=38, failed=2, remove=True,
                  error="2 events could not be removed: Microsoft no longer accepts our access. Delete "
                        "what remains in Outlook, or connect the same calendar again and "
                        "disconnect once more.")


def kept(stage):
    stage.request("disconnect", total=38)


# How each comes about, and what the badge says then.
SCENES = {
    "not-connected": (not_connected, "Not connected"),
    "connected": (connected, "Connected"),
    "just-synced": (just_synced, "Connected"),
    "long-words": (long_words, "Connected"),
    "about-to-sync": (about_to_sync, "Syncing"),
    "late": (late, "Syncing"),
    "syncing": (syncing, "Syncing 12 of 40"),
    "failed": (failed, "Connected"),
    "sync-failed": (sync_failed, "Connected"),
    "throttled": (throttled, "Connected"),
    "needs-reconnect": (needs_reconnect, "Needs you to reconnect"),
    "disconnecting": (disconnecting, "Disconnecting"),
    "removed": (removed, "Not connected"),
    "remaining": (remaining, "Not connected"),
    "kept": (kept, "Not connected"),
}
