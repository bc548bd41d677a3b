/* later.c - calls in order of their time, on one timer. */
#include "tests/fake/later.h"

#include <stddef.h>
#include <utlist.h>

#include "common/clock.h"

/* What utlist's macros expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*) */
static void later_remove(struct later_queue *queue, struct later *later)
{
	DL_DELETE(queue->first, later);
	later->due_ms = 0;
}

/* before NULL: at the front. */
static void later_insert(struct later_queue *queue, struct later *before, struct later *later)
{
	if (before == NULL) {
		DL_PREPEND(queue->first, later);
	} else {
		DL_APPEND_ELEM(queue->first, before, later);
	}
}
/* NOLINTEND(readability-function-*) */

static void on_due(uv_timer_t *timer);

static void later_arm(struct later_queue *queue)
{
	int64_t wait_ms;

	if (queue->first == NULL) {
		uv_timer_stop(&queue->timer);
		return;
	}
	wait_ms = queue->first->due_ms - clock_mono_ms();
	uv_timer_start(&queue->timer, on_due, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

static void on_due(uv_timer_t *timer)
{
	struct later_queue *queue = container_of(timer, struct later_queue, timer);
	int64_t now_ms = clock_mono_ms();

	while (queue->first != NULL && queue->first->due_ms <= now_ms) {
		struct later *later = queue->first;

		later_remove(queue, later);
		later->fn(later);
	}
	later_arm(queue);
}

void later_init(struct later_queue *queue, struct loop *loop)
{
	queue->first = NULL;
	uv_timer_init(&loop->uv, &queue->timer);
}

void later_add(struct later_queue *queue, struct later *later, int64_t delay_ms,
	       void (*fn)(struct later *later))
{
	struct later *before = queue->first != NULL ? queue->first->prev : NULL; /* the last */

	later->fn = fn;
	later->due_ms = clock_mono_ms() + (delay_ms > 0 ? delay_ms : 0);
	while (before != NULL && before->due_ms > later->due_ms) {
		before = before == queue->first ? NULL : before->prev;
	}
	later_insert(queue, before, later);
	later_arm(queue);
}

void later_cancel(struct later_queue *queue, struct later *later)
{
	if (later->due_ms != 0) {
		later_remove(queue, later);
		later_arm(queue);
	}
}
