/* amend.h - changes an answer's JSON as a merge patch (RFC 7386) says. */
#ifndef CALRELAY_FAKE_AMEND_H
#define CALRELAY_FAKE_AMEND_H

#include "common/buf.h"

/* patch "" changes nothing, nor does any patch change what is no JSON. */
void amend_answer(const char *patch, struct buf *answer);

#endif
