/* model_ask.h - the model's questions to protocol_step, and what becomes of the row. */
#ifndef CALRELAY_TESTS_UNIT_WORKER_MODEL_ASK_H
#define CALRELAY_TESTS_UNIT_WORKER_MODEL_ASK_H

#include "tests/unit/worker/model.h"
#include "worker/protocol.h"

/* What the effects' texts are borrowed from. */
struct model_question {
	struct row row;
	struct protocol_input input;
	struct op op;
};

void model_ask(const struct model_sink *sink, int who, enum protocol_kind kind,
	       const struct op_answer *answer, struct model_question *question,
	       struct protocol_effects *effects);

/* Writes the row, if there is something to write.  The quarantine begins with it, and somebody
 * comes back when it is over. */
void model_store(const struct model_config *config, struct model_state *state, int who,
		 const struct protocol_effects *effects);

struct model_op model_op_to(const struct model_config *config, const struct op *op);
uint8_t model_pos_of(const char *text); /* NULL: 0 */

#endif
