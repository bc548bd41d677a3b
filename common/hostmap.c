/* hostmap.c - reads the mapping file. */
#include "common/hostmap.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/json.h"

#define HOSTMAP_FILE_MAX_BYTES 65536

struct hostmap_reader {
	const char *path;
	const cJSON *section;
	const char *section_name;
	struct fault *fault;
	bool failed;
};

static void reader_refuse(struct hostmap_reader *reader, const char *key, const char *why)
{
	if (!reader->failed) {
		fault_fatal(reader->fault, "mapping file %s: %s%s%s %s", reader->path,
			    reader->section_name, *reader->section_name != '\0' ? "." : "", key,
			    why);
	}
	reader->failed = true;
}

static void reader_enter(struct hostmap_reader *reader, const cJSON *root, const char *name)
{
	reader->section = json_object(root, name);
	reader->section_name = name;
	if (reader->section == NULL) {
		reader_refuse(reader, "section", "is missing");
	}
}

static void reader_copy(struct hostmap_reader *reader, const char *key, char *out, size_t size)
{
	const char *text = json_text(reader->section, key);

	if (text == NULL || *text == '\0') {
		reader_refuse(reader, key, "is missing or no text");
	} else if (strlen(text) >= size) {
		reader_refuse(reader, key, "is too long");
	} else {
		memcpy(out, text, strlen(text) + 1);
	}
}

/* A name that goes into SQL: a lower-case letter or _, then letters, digits and _. */
static void reader_identifier(struct hostmap_reader *reader, const char *key,
			      char out[HOSTMAP_NAME_SIZE])
{
	reader_copy(reader, key, out, HOSTMAP_NAME_SIZE);
	if (reader->failed) {
		return;
	}
	for (const char *at = out; *at != '\0'; at++) {
		if (!islower((unsigned char)*at) && *at != '_' &&
		    !(isdigit((unsigned char)*at) && at > out)) {
			reader_refuse(reader, key, "is not a plain lower-case SQL identifier");
			return;
		}
	}
}

static void reader_tables(struct hostmap_reader *reader, const cJSON *root, struct hostmap *map)
{
	reader->section = root;
	reader->section_name = "";
	reader_identifier(reader, "schema", map->schema);
	reader_enter(reader, root, "profiles");
	reader_identifier(reader, "table", map->profiles.table);
	reader_identifier(reader, "id", map->profiles.id);
	reader_identifier(reader, "email", map->profiles.email);
	reader_identifier(reader, "full_name", map->profiles.full_name);
	reader_enter(reader, root, "projects");
	reader_identifier(reader, "table", map->projects.table);
	reader_identifier(reader, "id", map->projects.id);
	reader_identifier(reader, "client_name", map->projects.client_name);
	reader_identifier(reader, "start_date", map->projects.start_date);
	reader_identifier(reader, "end_date", map->projects.end_date);
	reader_identifier(reader, "notes", map->projects.notes);
	reader_enter(reader, root, "assignments");
	reader_identifier(reader, "table", map->assignments.table);
	reader_identifier(reader, "id", map->assignments.id);
	reader_identifier(reader, "project_id", map->assignments.project_id);
	reader_identifier(reader, "user_id", map->assignments.user_id);
	reader_identifier(reader, "booking_status", map->assignments.booking_status);
	reader_identifier(reader, "notes", map->assignments.notes);
}

static bool show_as_is_known(const char *show_as)
{
	static const char *const KNOWN[] = {"free", "tentative", "busy", "oof", "workingElsewhere"};

	for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
		if (strcmp(show_as, KNOWN[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Exactly preset0 .. preset24: it goes to Microsoft as it stands. */
static bool colour_is_known(const char *colour)
{
	char known[20];

	for (int preset = 0; preset <= 24; preset++) {
		snprintf(known, sizeof known, "preset%d", preset);
		if (strcmp(colour, known) == 0) {
			return true;
		}
	}
	return false;
}

/* What every client of Outlook can show and edit: they join categories by commas or semicolons. */
static bool category_is_plain(const char *name)
{
	for (const char *at = name; *at != '\0'; at++) {
		if (*at == ',' || *at == ';' || iscntrl((unsigned char)*at)) {
			return false;
		}
	}
	return *name != ' ' && name[strlen(name) - 1] != ' ';
}

static void reader_category(struct hostmap_reader *reader, const char *key,
			    char out[HOSTMAP_CATEGORY_SIZE])
{
	reader_copy(reader, key, out, HOSTMAP_CATEGORY_SIZE);
	if (!reader->failed && !category_is_plain(out)) {
		reader_refuse(reader, key,
			      "holds a comma, semicolon or control character, or begins or ends "
			      "with a space");
	}
}

static void reader_look(struct hostmap_reader *reader, struct hostmap_look *look)
{
	look->no_event = json_is_true(reader->section, "no_event");
	if (look->no_event) {
		return;
	}
	reader_category(reader, "category", look->category);
	if (json_member(reader->section, "own_category") != NULL) {
		reader_category(reader, "own_category", look->own_category);
	}
	reader_copy(reader, "colour", look->colour, sizeof look->colour);
	reader_copy(reader, "show_as", look->show_as, sizeof look->show_as);
	if (reader->failed) {
		return;
	}
	if (!colour_is_known(look->colour)) {
		reader_refuse(reader, "colour", "must be preset0 .. preset24");
	}
	if (!show_as_is_known(look->show_as)) {
		reader_refuse(reader, "show_as",
			      "must be free, tentative, busy, oof or workingElsewhere");
	}
}

static void reader_looks(struct hostmap_reader *reader, const cJSON *root, struct hostmap *map)
{
	const cJSON *list = json_array(root, "looks");
	const cJSON *item;

	reader->section_name = "looks";
	if (list == NULL) {
		reader_refuse(reader, "list", "is missing");
	}
	cJSON_ArrayForEach(item, list)
	{
		struct hostmap_look *look = &map->looks[map->look_count];

		if (map->look_count == HOSTMAP_LOOKS_MAX) {
			reader_refuse(reader, "list", "has too many entries");
			return;
		}
		reader->section = item;
		reader_copy(reader, "status", look->status, sizeof look->status);
		reader_look(reader, look);
		map->look_count++;
	}
	reader_enter(reader, root, "other");
	reader_look(reader, &map->other);
}

static bool hostmap_parse(struct hostmap *map, const char *path, const char *text, size_t length,
			  struct fault *fault)
{
	struct hostmap_reader reader = {.path = path, .fault = fault};
	struct fault why;
	cJSON *root = json_parse(text, length, HOSTMAP_FILE_MAX_BYTES, &why);

	if (root == NULL) {
		return fault_fatal(fault, "mapping file %s: %s", path, why.what);
	}
	*map = (struct hostmap){0};
	reader_tables(&reader, root, map);
	reader_looks(&reader, root, map);
	cJSON_Delete(root);
	return !reader.failed;
}

bool hostmap_load(struct hostmap *map, const char *path, struct fault *fault)
{
	char text[HOSTMAP_FILE_MAX_BYTES + 1];
	size_t length;
	FILE *file;
	bool ok;

	if (path == NULL) {
		return hostmap_parse(map, "(shipped)", hostmap_shipped, strlen(hostmap_shipped),
				     fault);
	}
	file = fopen(path, "re");
	if (file == NULL) {
		return fault_fatal(fault, "CALRELAY_MAPPING_FILE: can't open %s: %s", path,
				   strerror(errno));
	}
	length = fread(text, 1, sizeof text, file);
	ok = !ferror(file);
	fclose(file);
	if (!ok) {
		return fault_fatal(fault, "CALRELAY_MAPPING_FILE: can't read %s", path);
	}
	return hostmap_parse(map, path, text, length, fault);
}

const struct hostmap_look *hostmap_look(const struct hostmap *map, const char *status)
{
	for (size_t i = 0; status != NULL && i < map->look_count; i++) {
		if (strcasecmp(map->looks[i].status, status) == 0) {
			return &map->looks[i];
		}
	}
	return &map->other;
}

const char *hostmap_category(const struct hostmap_look *look, bool has_own)
{
	return has_own && look->own_category[0] != '\0' ? look->own_category : look->category;
}

/* Looks without an event have no category: their names are empty, as no category's is. */
static bool look_has_category(const struct hostmap_look *look, const char *name)
{
	return strcasecmp(look->category, name) == 0 || strcasecmp(look->own_category, name) == 0;
}

const struct hostmap_look *hostmap_look_at(const struct hostmap *map, size_t index)
{
	if (index < map->look_count) {
		return &map->looks[index];
	}
	return index == map->look_count ? &map->other : NULL;
}

bool hostmap_has_category(const struct hostmap *map, const char *name)
{
	const struct hostmap_look *look;

	for (size_t i = 0; (look = hostmap_look_at(map, i)) != NULL; i++) {
		if (look_has_category(look, name)) {
			return true;
		}
	}
	return false;
}
