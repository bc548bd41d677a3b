/* account.h - the people of the tenant, each with a mailbox. */
#ifndef CALRELAY_FAKE_ACCOUNT_H
#define CALRELAY_FAKE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "common/uuid.h"
#include "tests/fake/category.h"
#include "tests/fake/mailbox.h"

#define ACCOUNT_MAX	   50000
#define ACCOUNT_EMAIL_SIZE 255

/* Why Graph answers 404 for all of a mailbox. */
struct account_trouble {
	const char *code;
	const char *message;
};

struct account {
	uint32_t number;		/* never used again, also not after a reset */
	uint32_t generation;		/* raised by a revocation: older tokens are dead */
	char email[ACCOUNT_EMAIL_SIZE]; /* lower case */
	char *display_name;
	const char *time_zone;		       /* of zones.h */
	char id[UUID_TEXT_SIZE];	       /* oid */
	const struct account_trouble *trouble; /* NULL: the mailbox serves */
	struct mailbox mailbox;
	struct category_list categories;
	UT_hash_handle hh; /* by email */
	UT_hash_handle by_number;
};

struct accounts {
	struct account *by_email; /* in order of creation */
	struct account *by_number;
	uint32_t last_number;
};

/* NULL where there is none (or, for account_put, no room or an address that is none). */
struct account *account_find(const struct accounts *accounts, const char *email);
struct account *account_find_number(const struct accounts *accounts, uint32_t number);
struct account *account_put(struct accounts *accounts, const char *email);

const struct account_trouble *account_find_trouble(const char *code); /* NULL: no such code */

void account_set_name(struct account *account, const char *display_name);

size_t accounts_count(const struct accounts *accounts);
void accounts_clear(struct accounts *accounts, struct store *store);

#endif
