/* sim.c - time, chance, events and trace. */
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/process.h"

#define SIM_START_MS INT64_C(1800000000000)

struct sim sim;

struct event {
	int64_t at_ms;
	uint64_t number; /* of equals, the first comes first */
	uint32_t life;
	struct sim_call call;
};

static struct {
	struct event *heap;
	size_t count;
	uint64_t numbers;
	char trace[SIM_TRACE_LINES][SIM_TRACE_BYTES];
	size_t traced;
} world;

/* ---- memory ---- */

static void *or_die(void *memory)
{
	if (memory == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *sim_alloc(size_t size)
{
	return or_die(calloc(1, size));
}

void *sim_grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0) {
		return array;
	}
	return or_die(realloc(array, (count > 0 ? 2 * count : 1) * size));
}

char *sim_copy(const char *text)
{
	return text != NULL ? or_die(strdup(text)) : NULL;
}

/* ---- chance: splitmix64 ---- */

static uint64_t dice_next(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

int64_t sim_below(int64_t below)
{
	return (int64_t)(dice_next(&sim.dice) % (uint64_t)below);
}

int64_t sim_between(int64_t least, int64_t most)
{
	return least + sim_below(most - least + 1);
}

bool sim_chance(int per_mille)
{
	return sim_below(1000) < per_mille;
}

bool sim_fault_chance(int per_mille)
{
	return !sim.is_calm && sim_chance(per_mille * sim.roughness);
}

struct uuid sim_uuid(void)
{
	struct uuid uuid;

	for (size_t i = 0; i < sizeof uuid.bytes; i++) {
		uuid.bytes[i] = (uint8_t)dice_next(&sim.names);
	}
	uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0F) | 0x40);
	uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3F) | 0x80);
	return uuid;
}

/* ---- events: a heap ---- */

static bool event_is_before(const struct event *a, const struct event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->number < b->number;
}

static void heap_swap(size_t a, size_t b)
{
	struct event event = world.heap[a];

	world.heap[a] = world.heap[b];
	world.heap[b] = event;
}

static void heap_add(const struct event *event)
{
	size_t at = world.count;

	world.heap = sim_grow(world.heap, world.count, sizeof *world.heap);
	world.heap[world.count++] = *event;
	while (at > 0 && event_is_before(&world.heap[at], &world.heap[(at - 1) / 2])) {
		heap_swap(at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static struct event heap_take(void)
{
	struct event first = world.heap[0];
	size_t at = 0;

	world.heap[0] = world.heap[--world.count];
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < world.count &&
			    event_is_before(&world.heap[child], &world.heap[least])) {
				least = child;
			}
		}
		if (least == at) {
			return first;
		}
		heap_swap(at, least);
		at = least;
	}
}

void sim_after(int64_t after_ms, const struct sim_call *call)
{
	struct event event = {.at_ms = sim.now_ms + after_ms,
			      .number = world.numbers++,
			      .life = call->process != NULL ? call->process->life : 0,
			      .call = *call};

	heap_add(&event);
}

void sim_after_world(int64_t after_ms, void (*run)(void *context), void *context)
{
	sim_after(after_ms, &(struct sim_call){.run = run, .context = context});
}

static void event_drop(const struct event *event)
{
	if (event->call.drop != NULL) {
		event->call.drop(event->call.context);
	}
}

static void event_run(struct event *event)
{
	const struct process *process = event->call.process;

	if (process != NULL && (process->life != event->life || !process->is_up)) {
		event_drop(event);
	} else if (process != NULL && process->frozen_until_ms > sim.now_ms) {
		/* what waited for it comes in any order when it wakes */
		event->at_ms = process->frozen_until_ms + sim_below(20);
		event->number = world.numbers++;
		heap_add(event);
	} else {
		event->call.run(event->call.context);
	}
}

bool sim_step(void)
{
	struct event event;

	if (world.count == 0 || sim_has_failed()) {
		return false;
	}
	event = heap_take();
	sim.now_ms = event.at_ms;
	event_run(&event);
	return true;
}

/* ---- trace and failure ---- */

void sim_trace(const char *format, ...)
{
	char *line = world.trace[world.traced++ % SIM_TRACE_LINES];
	int length =
	    snprintf(line, SIM_TRACE_BYTES, "%8.3f ", (double)(sim.now_ms - SIM_START_MS) / 1000.0);
	va_list args;

	va_start(args, format);
	vsnprintf(line + length, SIM_TRACE_BYTES - (size_t)length, format, args);
	va_end(args);
	if (getenv("CALRELAY_SIM_TRACE") != NULL) {
		fprintf(stderr, "%s\n", line);
	}
}

void sim_print_trace(void)
{
	size_t first = world.traced > SIM_TRACE_LINES ? world.traced - SIM_TRACE_LINES : 0;

	for (size_t i = first; i < world.traced; i++) {
		fprintf(stderr, "%s\n", world.trace[i % SIM_TRACE_LINES]);
	}
}

void sim_fail(const char *format, ...)
{
	va_list args;

	if (sim_has_failed()) {
		return;
	}
	va_start(args, format);
	vsnprintf(sim.failure, sizeof sim.failure, format, args);
	va_end(args);
	sim_trace("FAILED: %s", sim.failure);
}

bool sim_has_failed(void)
{
	return sim.failure[0] != '\0';
}

/* ---- start and end ---- */

void sim_begin(uint64_t seed, enum sim_break broken)
{
	static const int ROUGHNESS[] = {0, 1, 1, 2, 4};

	sim = (struct sim){.seed = seed, .broken = broken, .now_ms = SIM_START_MS, .dice = seed};
	sim.names = dice_next(&sim.dice);
	sim.roughness = ROUGHNESS[sim_below(sizeof ROUGHNESS / sizeof *ROUGHNESS)];
	world.count = 0;
	world.numbers = 0;
	world.traced = 0;
}

void sim_end(void)
{
	while (world.count > 0) {
		struct event event = heap_take();

		event_drop(&event);
	}
	free(world.heap);
	world.heap = NULL;
}
