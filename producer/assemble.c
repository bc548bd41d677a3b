/* assemble.c - which records a row's change becomes, for whom, and at which position. */
#include "producer/assemble.h"

uint32_t assemble_ordinal(uint32_t row)
{
	return row * ASSEMBLE_RECORDS_MAX + 1;
}

const struct pgoutput_value *assemble_new_value(const struct assemble_change *change, int place)
{
	const struct pgoutput_value *value = &change->new_values[place];

	if (value->kind == 'u' && change->old_values != NULL && place < change->old_count) {
		return &change->old_values[place];
	}
	return value;
}

static bool is_whole(const struct assemble_key *key)
{
	return key->id->kind == 't' && key->user_id->kind == 't';
}

/* False where the row is not there or names no user: nobody has to hear of it. */
static bool old_key_of(const struct assemble_change *change, struct assemble_key *key)
{
	const struct relation_places *at = &change->relation->at;

	if (change->old_values == NULL || at->id >= change->old_count ||
	    at->user_id >= change->old_count) {
		return false;
	}
	*key = (struct assemble_key){.id = &change->old_values[at->id],
				     .user_id = &change->old_values[at->user_id]};
	return is_whole(key);
}

/* As old_key_of. */
static bool new_key_of(const struct assemble_change *change, struct assemble_key *key)
{
	const struct relation_places *at = &change->relation->at;

	if (change->new_values == NULL || at->id >= change->new_count ||
	    at->user_id >= change->new_count) {
		return false;
	}
	*key = (struct assemble_key){.id = assemble_new_value(change, at->id),
				     .user_id = assemble_new_value(change, at->user_id)};
	return is_whole(key);
}

static bool same_key(const struct assemble_key *a, const struct assemble_key *b)
{
	return pgoutput_same(a->id, b->id) && pgoutput_same(a->user_id, b->user_id);
}

static int remove_from(const struct assemble_key *key, const struct assemble_key *successor,
		       uint32_t ordinal, struct assemble_record *records)
{
	struct assemble_record gone = {.op = 'd', .ordinal = ordinal, .key = *key};

	if (successor != NULL) {
		gone.has_new_key = true;
		gone.other_key = *successor;
	}
	records[0] = gone;
	gone.op = '\0';
	gone.ordinal++;
	records[1] = gone;
	return 2;
}

int assemble_records(const struct assemble_change *change,
		     struct assemble_record records[ASSEMBLE_RECORDS_MAX])
{
	uint32_t ordinal = assemble_ordinal(change->row);
	struct assemble_key old_key;
	struct assemble_key new_key;
	bool had = old_key_of(change, &old_key);
	bool has = new_key_of(change, &new_key);
	int count = 0;

	if (has && (!had || same_key(&old_key, &new_key))) {
		bool is_new = change->kind == 'I' || (change->old_values != NULL && !had);

		records[0] = (struct assemble_record){
		    .op = is_new ? 'c' : 'u', .ordinal = ordinal, .key = new_key};
		return 1;
	}
	if (had) {
		count = remove_from(&old_key, has ? &new_key : NULL, ordinal, records);
	}
	if (has) {
		records[count++] = (struct assemble_record){.op = 'c',
							    .ordinal = ordinal + 2,
							    .key = new_key,
							    .has_old_key = true,
							    .other_key = old_key};
	}
	return count;
}

bool assemble_project_shows(const struct assemble_change *change)
{
	const struct relation_places *at = &change->relation->at;
	const int shown[] = {at->id, at->client_name, at->start_date, at->end_date, at->notes};

	if (change->kind != 'U' || change->new_values == NULL) {
		return false;
	}
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		if (change->old_values == NULL || shown[i] >= change->old_count ||
		    shown[i] >= change->new_count ||
		    !pgoutput_same(&change->old_values[shown[i]], &change->new_values[shown[i]])) {
			return true;
		}
	}
	return false;
}
