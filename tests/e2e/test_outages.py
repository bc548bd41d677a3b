"""Every part goes away and comes back; no change is lost, none is made twice."""
import threading


class HostAppAtWork:
    """Creates and confirms assignments one after the other until the block ends."""

    def __init__(self, pipeline, people):
        self.pipeline, self.people = pipeline, people
        self.stop, self.made, self.failure = threading.Event(), [], None
        self.project = pipeline.create_project()
        self.thread = threading.Thread(target=self._work)

    def _work(self):
        connection = self.pipeline.postgres.connect(self.pipeline.database)
        try:
            with connection.cursor() as cursor:
                while not self.stop.is_set():
                    person = self.people[len(self.made) % len(self.people)]
                    cursor.execute("INSERT INTO project_assignments (project_id, user_id) "
                                   "VALUES (%s, %s) RETURNING id", (self.project, person.user_id))
                    self.made.append(str(cursor.fetchone()["id"]))
                    cursor.execute("UPDATE project_assignments SET booking_status = 'confirmed' "
                                   "WHERE id = %s", (self.made[-1],))
                    self.stop.wait(0.02)
        except Exception as problem:  # noqa: BLE001 - the story looks at it
            self.failure = problem
        finally:
            connection.close()

    def wait_made(self, count):
        target = len(self.made) + count
        self.pipeline.wait_until(lambda: self.failure or len(self.made) >= target, 30)

    def __enter__(self):
        self.thread.start()
        self.wait_made(10)
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        assert self.failure is None, self.failure


def assert_no_position_twice(pipeline):
    positions = [(record.partition, record.headers["calrelay.pos"])
                 for record in pipeline.kafka.read(pipeline.topic)]
    assert len(positions) == len(set(positions)), "a record was published twice"


def test_a_producer_killed_and_started_again_loses_and_doubles_nothing(pipeline):
    people = pipeline.connect_people(3)

    with HostAppAtWork(pipeline, people) as host:
        for _ in range(3):
            pipeline.producer.kill9()
            host.wait_made(10)
            pipeline.producer.start()
            host.wait_made(10)
    pipeline.producer.wait_ready()

    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_published()
    assert_no_position_twice(pipeline)


def test_a_second_producer_waits_and_takes_over_when_the_first_is_killed(pipeline):
    people = pipeline.connect_people(2)
    standby = pipeline.new_producer().start()
    try:
        pipeline.wait_until(lambda: standby.metric("calrelay_producer_standby") == 1, 30,
                            "the second producer stands by")
        pipeline.producer.kill9()
        pipeline.create_assignments(pipeline.create_project(), people * 3)
        pipeline.wait_calendars_equal_plan(60)
        assert_no_position_twice(pipeline)
        assert standby.sigterm() == 0
    finally:
        standby.kill9()


def test_postgresql_restarts_and_no_change_is_lost(pipeline):
    people = pipeline.connect_people(3)
    project = pipeline.create_project()
    for mode in ("fast", "immediate"):
        pipeline.create_assignments(project, people * 5)

        pipeline.postgres.restart(mode)

        pipeline.create_assignments(project, people)
        pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_published(60)
    pipeline.wait_until(lambda: all(program.is_ready() for program in pipeline.programs), 30,
                        "everybody is ready again")
    assert_no_position_twice(pipeline)


def test_kafka_restarts_and_no_change_is_lost(pipeline):
    people = pipeline.connect_people(3)
    project = pipeline.create_project()
    pipeline.create_assignments(project, people * 5)

    pipeline.kafka.stop()
    pipeline.create_assignments(project, people)
    pipeline.kafka.start()

    pipeline.wait_calendars_equal_plan(90)
    pipeline.wait_published(60)
    pipeline.wait_committed(60)
    assert_no_position_twice(pipeline)


def test_microsoft_is_out_of_order_for_a_while_and_no_change_is_lost(pipeline):
    people = pipeline.connect_people(3)
    assignments = pipeline.create_assignments(pipeline.create_project(), people * 3)
    pipeline.wait_calendars_equal_plan()
    mark = pipeline.fake.mark()

    pipeline.fake.fault("any", "error", times=100000, status=503)
    pipeline.bulk_update_assignment_status(assignments, "confirmed")
    pipeline.wait_until(lambda: any(record["status"] == 503
                                    for record in pipeline.fake.requests(mark)), 30)
    assert pipeline.differences()
    pipeline.fake.clear_faults()

    pipeline.wait_calendars_equal_plan(60)
    pipeline.wait_committed(60)
    assert pipeline.value("SELECT count(*) FROM calendar_connections WHERE status <> 'active'") == 0
    assert pipeline.dlq_records() == []


def test_answers_of_microsoft_that_get_lost_double_nothing(pipeline):
    people = pipeline.connect_people(2)
    pipeline.fake.fault("batch", "lose_answer", times=2)

    pipeline.create_assignments(pipeline.create_project(), people * 5)

    pipeline.wait_calendars_equal_plan(90)
    everything = [event for person in people
                  for event in pipeline.fake.events(person.email, folder=None)]
    assert len(everything) == 10, "also none in Deleted Items"
