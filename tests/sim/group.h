/* group.h - the simulated consumer group: who is a member, which partitions are whose. */
#ifndef CALRELAY_TESTS_SIM_GROUP_H
#define CALRELAY_TESTS_SIM_GROUP_H

#include <stdbool.h>

struct process;

void group_begin(void);
void group_join(struct process *process);
void group_leave(struct process *process);
void group_crashed(struct process *process); /* its session expires later */
void group_frozen(struct process *process);  /* the same, if it stays so long */

/* It has given its partitions back, and joins the next generation. */
void group_gave_back(struct process *process);

bool group_is_preparing(void);
bool group_is_empty(void);
bool group_owns(const struct process *process, int partition);

/* Whether Kafka takes a commit of it now. */
bool group_takes(const struct process *process);

#endif
