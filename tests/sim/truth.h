/* truth.h - whether the mailboxes show what the host's tables say. */
#ifndef CALRELAY_TESTS_SIM_TRUTH_H
#define CALRELAY_TESTS_SIM_TRUTH_H

/* Fails the simulation where they don't. */
void truth_check(void);

#endif
