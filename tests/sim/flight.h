/* flight.h - HTTP requests on their way: each lands whole, late, or never, and is answered or not.
 */
#ifndef CALRELAY_TESTS_SIM_FLIGHT_H
#define CALRELAY_TESTS_SIM_FLIGHT_H

void flight_begin(void);

/* A sync of this user has noted what it has read. */
void flights_synced(int user);

/* From now on an older content may replace a newer one for a while. */
void flights_loosen(int user);

/* Requests of a user that may still land. */
int flights_landing(int user);

#endif
