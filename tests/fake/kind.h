/* kind.h - the kinds of requests that faults, records and counters tell apart. */
#ifndef CALRELAY_FAKE_KIND_H
#define CALRELAY_FAKE_KIND_H

enum kind {
	KIND_CREATE,
	KIND_UPDATE,
	KIND_DELETE,
	KIND_GET,
	KIND_LIST,
	KIND_ME,
	KIND_SETTINGS,
	KIND_CATEGORIES,
	KIND_BATCH,
	KIND_TOKEN,
	KIND_AUTHORIZE,
	KIND_OTHER,
	KIND_COUNT
};

const char *kind_name(enum kind kind);
enum kind kind_find(const char *name); /* KIND_COUNT where there is none */

#endif
