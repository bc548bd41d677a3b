/* world.h - one whole simulated life, from a seed: what happens, and what must hold at its end. */
#ifndef CALRELAY_TESTS_SIM_WORLD_H
#define CALRELAY_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/sim.h"

/* False where something failed: sim.failure says what, sim_print_trace what led there. */
bool world_run(uint64_t seed, enum sim_break broken);

#endif
