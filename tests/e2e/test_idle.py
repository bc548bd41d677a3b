"""Programs with nothing to do rest: a loop that spins is seen as processor time."""
import time

BUSY_SHARE_MAX = 0.3  # of one core; a spinning loop takes nearly all of it
WATCHED_S = 3


def test_idle_programs_rest(pipeline):
    people = pipeline.connect_people(2)
    pipeline.create_assignments(pipeline.create_project(), people)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    started = time.monotonic()
    before = [program.cpu_seconds() for program in pipeline.programs]

    time.sleep(WATCHED_S)  # what is watched here is doing nothing for a while

    elapsed = time.monotonic() - started
    for program, then in zip(pipeline.programs, before):
        share = (program.cpu_seconds() - then) / elapsed
        assert share < BUSY_SHARE_MAX, f"{program.name} is idle and takes {share:.0%} of a core"
