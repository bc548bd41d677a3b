/* amend.h - makes an answer's JSON say something else than what was done. */
#ifndef CALRELAY_FAKE_AMEND_H
#define CALRELAY_FAKE_AMEND_H

#include "common/buf.h"

/* The members of changes, an object's text, take the place of the answer's; null removes one.  ""
 * changes nothing, nor does anything change what is no JSON. */
void amend_answer(const char *changes, struct buf *answer);

#endif
