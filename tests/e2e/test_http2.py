"""The worker speaks HTTP/2 with Microsoft over few connections, whose certificate it verifies."""
import pytest

from parts.nghttpx import Authority, Nghttpx

SECOND_MS = 1000


@pytest.fixture
def front(system):
    """Microsoft behind TLS and HTTP/2, as the real one is; only the worker goes there."""
    system.authority = Authority(system.folder)
    front = Nghttpx([f"127.0.0.1,{system.fake.port}"], system.authority).start()
    system.worker.with_settings(MICROSOFT_GRAPH_URL=front.url, MICROSOFT_LOGIN_URL=front.url)
    yield front
    front.process.stop()


def test_fifty_mailboxes_are_written_at_once_over_one_connection_by_http2(system, front):
    system.worker.with_settings(SSL_CERT_FILE=system.authority.file)
    system.start()
    system.fake.control("POST", "settings", {"expires_in": 60})  # the tokens are refreshed, too
    people = system.connect_people(50)
    assignments = system.create_assignments(system.create_project(), people)
    system.wait_calendars_equal_plan(60)
    assert system.worker.sigterm() == 0
    system.bulk_update_assignment_status(assignments, "confirmed")
    system.wait_published()
    system.fake.latency(SECOND_MS)
    mark, before = system.fake.mark(), len(front.served())

    system.worker.start()
    system.wait_calendars_equal_plan(60)

    moments = [record["at_ms"] for record in system.fake.writes(mark)]
    assert len(moments) == 50
    assert max(moments) - min(moments) < 10 * SECOND_MS, "one after the other would take 50 s"
    served = front.served()
    assert {answer.alpn for answer in served} == {"h2"}
    assert len({answer.client_port for answer in served[before:]}) == 1


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(system, front):
    system.start()
    ada, = system.add_people(1)
    ada.connect()

    system.wait_until(lambda: "certificate" in system.worker.log_text(), 30, "a refusal")

    assert front.served() == []
    assert system.value("SELECT count(*) FROM calendar_sync_requests WHERE state = 'done'") == 0
