"""A machine whose clock is hours off: calendars stay right, and --check says it (bad input 60)."""
import pytest

HOUR_S = 3600

def said(program):
    """The exit status of --check, and its lines about the clock."""
    status, lines = program.check()
    return status, [line for line in lines if "clock" in line]


def test_60_workers_whose_clocks_are_hours_off_keep_calendars_right(system):
    """Neither tokens nor waits are judged by a worker's own clock; one is fast, one is slow."""
    system.producer.with_clock(3 * HOUR_S)
    system.worker.with_clock(3 * HOUR_S)
    system.new_worker().with_clock(-3 * HOUR_S)
    system.start(workers=2)
    people = [*system.connect_people(1, partition=0), *system.connect_people(1, partition=11)]
    assignments = system.create_assignments(system.create_project(), people)
    system.wait_calendars_equal_plan()
    assert system.fake.stats()["tokens_refreshed"] == 0, "the tokens are as live as ever"

    mark = system.fake.mark()
    for person in people:
        system.fake.fault("update", "throttle", account=person.email, retry_after=12)
    system.bulk_update_assignment_status(assignments, "confirmed")
    system.wait_until(lambda: system.value(
        "SELECT count(not_before) FROM calendar_connections") == 2, 10, "both wait")
    for row in system.sql("SELECT extract(epoch FROM not_before - now()) AS waits_s "
                          "FROM calendar_connections"):
        assert 5 < row["waits_s"] <= 12.5
    system.wait_committed()

    system.wait_calendars_equal_plan(30)
    for person in people:
        refused, repeated = system.fake.writes(mark, person.email)
        assert (refused["status"], repeated["status"]) == (429, 200)
        assert repeated["at_ms"] - refused["at_ms"] >= 12000
    system.wait_until(lambda: system.value("SELECT count(*) FROM calendar_sync_requests "
                                           "WHERE state <> 'done'") == 0)


@pytest.mark.parametrize("off_s,words", [(7230, "2 h 0 min ahead"), (-7230, "2 h 0 min behind")])
def test_60_check_says_how_far_the_clock_is_off(system, off_s, words):
    """The worker works all the same, so it is warned; connect judges the host's JWTs by it."""
    system.fake.start().wait_ready()
    for program, status in ((system.worker, 0), (system.connect, 1)):
        assert said(program) == (0, [])
        status_said, lines = said(program.with_clock(off_s))
        assert status_said == status and lines, lines
        assert all(words in line for line in lines), lines
