/* test_watch.c - a watched descriptor whose library closes it at will. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/watch.h"

struct rig {
	struct loop loop;
	int ends[2];
	struct watch *watch;
	int readied;
};

static void on_ready(struct watch *watch, int status, int events)
{
	struct rig *rig = watch->owner;
	char byte;

	assert_int_equal(status, 0);
	assert_true(events & UV_READABLE);
	assert_int_equal(read(watch->duplicate, &byte, 1), 1);
	rig->readied++;
}

static int begin(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	loop_init(&rig->loop);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, rig->ends), 0);
	rig->watch = watch_new(&rig->loop, rig->ends[0], rig, on_ready);
	*state = rig;
	return rig->watch == NULL;
}

static int end(void **state)
{
	struct rig *rig = *state;

	watch_free(rig->watch);
	loop_close(&rig->loop);
	close(rig->ends[1]);
	free(rig);
	return 0;
}

static void turn(struct rig *rig)
{
	uv_run(&rig->loop.uv, UV_RUN_NOWAIT);
}

static void what_comes_is_told(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig->watch->fd, rig->ends[0]);
	assert_true(watch_start(rig->watch, UV_READABLE));
	assert_int_equal(write(rig->ends[1], "x", 1), 1);
	turn(rig);
	assert_int_equal(rig->readied, 1);
	close(rig->ends[0]);
}

static void nothing_is_told_while_nothing_is_asked_for(void **state)
{
	struct rig *rig = *state;

	assert_true(watch_start(rig->watch, UV_READABLE));
	assert_true(watch_start(rig->watch, 0));
	assert_int_equal(write(rig->ends[1], "x", 1), 1);
	turn(rig);
	assert_int_equal(rig->readied, 0);
	close(rig->ends[0]);
}

static void a_library_that_closes_its_descriptor_in_between_aborts_nothing(void **state)
{
	struct rig *rig = *state;

	assert_true(watch_start(rig->watch, UV_READABLE));
	turn(rig);
	close(rig->ends[0]);
	assert_true(watch_start(rig->watch, UV_READABLE | UV_WRITABLE));
	assert_true(watch_start(rig->watch, UV_READABLE));
	turn(rig);
	assert_int_equal(rig->readied, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_comes_is_told),
	    TEST(nothing_is_told_while_nothing_is_asked_for),
	    TEST(a_library_that_closes_its_descriptor_in_between_aborts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
