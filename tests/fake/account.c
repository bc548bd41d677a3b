/* account.c - the people of the tenant. */
#include "tests/fake/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/fake/ascii.h"
#include "tests/fake/memory.h"
#include "tests/fake/zones.h"

/* Lower case into key; false where it is no address of a sensible length. */
static bool account_key(const char *email, char key[ACCOUNT_EMAIL_SIZE])
{
	const char *at = strchr(email, '@');
	size_t length = strlen(email);

	if (at == NULL || at == email || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
	    length >= ACCOUNT_EMAIL_SIZE || strpbrk(email, " \t\r\n<>\"") != NULL) {
		return false;
	}
	for (size_t i = 0; i <= length; i++) {
		key[i] = ascii_lower(email[i]);
	}
	return true;
}

/* What uthash's macros expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
struct account *account_find(const struct accounts *accounts, const char *email)
{
	char key[ACCOUNT_EMAIL_SIZE] = "";
	struct account *account = NULL;

	if (account_key(email, key)) {
		HASH_FIND_STR(accounts->by_email, key, account);
	}
	return account;
}

struct account *account_find_number(const struct accounts *accounts, uint32_t number)
{
	struct account *account = NULL;

	HASH_FIND(by_number, accounts->by_number, &number, sizeof number, account);
	return account;
}

static void accounts_add(struct accounts *accounts, struct account *account)
{
	HASH_ADD_STR(accounts->by_email, email, account);
	HASH_ADD(by_number, accounts->by_number, number, sizeof account->number, account);
}

static void accounts_remove(struct accounts *accounts, struct account *account)
{
	HASH_DEL(accounts->by_email, account);
	HASH_DELETE(by_number, accounts->by_number, account);
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */

/* anna.berg@example.org is Anna Berg until somebody says otherwise. */
static char *account_guess_name(const char *email)
{
	size_t length = strcspn(email, "@");
	char *name = memory_text(email);
	bool is_first = true;

	name[length] = '\0';
	for (size_t i = 0; i < length; i++) {
		if (strchr("._-", name[i]) != NULL) {
			name[i] = ' ';
			is_first = true;
		} else if (is_first) {
			name[i] = ascii_upper(name[i]);
			is_first = false;
		}
	}
	return name;
}

struct account *account_put(struct accounts *accounts, const char *email)
{
	struct account *account = account_find(accounts, email);
	char key[ACCOUNT_EMAIL_SIZE];
	struct uuid uuid;

	if (account != NULL) {
		return account;
	}
	if (!account_key(email, key) || accounts_count(accounts) >= ACCOUNT_MAX) {
		return NULL;
	}
	account = memory_zeroed(1, sizeof *account);
	memcpy(account->email, key, sizeof key);
	account->number = ++accounts->last_number;
	account->display_name = account_guess_name(account->email);
	account->time_zone = zones_find("UTC");
	uuid = uuid_random();
	uuid_format(&uuid, account->id);
	accounts_add(accounts, account);
	return account;
}

static const struct account_trouble TROUBLES[] = {
    {"MailboxNotEnabledForRESTAPI",
     "The mailbox is either inactive, soft-deleted, or is hosted on-premise."},
    {"MailboxNotSupportedForRESTAPI", "REST API is not yet supported for this mailbox."},
    {"ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it."}};

const struct account_trouble *account_find_trouble(const char *code)
{
	for (size_t i = 0; i < sizeof TROUBLES / sizeof *TROUBLES; i++) {
		if (strcmp(TROUBLES[i].code, code) == 0) {
			return &TROUBLES[i];
		}
	}
	return NULL;
}

void account_set_name(struct account *account, const char *display_name)
{
	free(account->display_name);
	account->display_name = memory_text(display_name);
}

size_t accounts_count(const struct accounts *accounts)
{
	return HASH_COUNT(accounts->by_email);
}

static void account_free(struct account *account)
{
	category_list_close(&account->categories);
	free(account->display_name);
	free(account);
}

/* NOLINTBEGIN(clang-analyzer-unix.Malloc): the analyzer doesn't see that it was removed */
void accounts_clear(struct accounts *accounts, struct store *store)
{
	while (accounts->by_email != NULL) {
		struct account *account = accounts->by_email;

		accounts_remove(accounts, account);
		mailbox_close(store, &account->mailbox);
		account_free(account);
	}
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */
