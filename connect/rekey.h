/* rekey.h - the command `rekey`: every stored token sealed with the first key of the keyring.
 *
 * Goes through the connections in batches and writes each row by itself, only where it still holds
 * what was read: what a worker or a sign-in stores meanwhile stays.  May be ended at any time and
 * run again.  A sign-in's sealed verifier lives ten minutes: it is not re-sealed. */
#ifndef CALRELAY_CONNECT_REKEY_H
#define CALRELAY_CONNECT_REKEY_H

#include "connect/app.h"

/* 0 where every token is sealed with the first key; 1 where some do not open (their connections are
 * printed), some are sealed with another key still, or PostgreSQL failed.  Writes to stdout. */
int rekey_run(const struct app_config *config, int argc, char **argv);

#endif
