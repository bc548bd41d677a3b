"""What a worker refuses: tables whose rows it can't see, which would look as if nothing were planned."""
import pytest

TABLES = {"project_assignments": "calrelay_reads", "projects": "calrelay_reads",
          "calendar_connections": "calrelay_programs"}


def hide(system, table):
    system.sql(f"DROP POLICY {TABLES[table]} ON {table}")
    system.sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


@pytest.mark.parametrize("table", TABLES)
def test_a_worker_that_can_see_no_rows_refuses_and_removes_nothing(pipeline, table):
    [ada] = pipeline.connect_people(1)
    project = pipeline.create_project()
    assignment = pipeline.create_assignment(project, ada)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    assert pipeline.worker.complaints() == (0, [])
    pipeline.worker.sigterm()

    hide(pipeline, table)
    status, [failure] = pipeline.worker.complaints()
    assert status == 1 and f"public.{table}" in failure and "CREATE POLICY" in failure
    pipeline.sql("INSERT INTO calendar_sync_requests (user_id, kind) VALUES (%s, 'full')",
                 ada.user_id)
    mark = pipeline.fake.mark()
    pipeline.worker.start()
    assert pipeline.worker.wait(60) == 1
    assert f"public.{table}" in pipeline.worker.log_text()
    assert pipeline.fake.writes(mark) == []
    assert pipeline.event_of(ada, assignment)
