/* faults.c - what goes wrong on request. */
#include "tests/fake/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "common/json.h"
#include "common/text.h"
#include "tests/fake/memory.h"

static const char *const DEEDS[] = {
    [FAULTS_THROTTLE] = "throttle",	  [FAULTS_ERROR] = "error",
    [FAULTS_LOSE_ANSWER] = "lose_answer", [FAULTS_DELAY] = "delay",
    [FAULTS_TRUNCATE] = "truncate",	  [FAULTS_GATEWAY] = "gateway",
    [FAULTS_CHALLENGE] = "challenge",	  [FAULTS_AMEND] = "amend"};

static const char *const MEMBERS[] = {"account", "assignment",	"on",	 "do",	 "status",
				      "code",	 "retry_after", "ms",	 "when", "times",
				      "skip",	 "location",	"answer"};

static bool faults_refuse(struct problem *problem, const char *what)
{
	return problem_set(problem, 400, "BadRequest", "a fault's '%.60s' is wrong", what);
}

static bool faults_knows_members(const cJSON *document, struct problem *problem)
{
	for (const cJSON *at = document->child; at != NULL; at = at->next) {
		size_t i = 0;

		while (i < sizeof MEMBERS / sizeof *MEMBERS &&
		       strcmp(MEMBERS[i], at->string) != 0) {
			i++;
		}
		if (i == sizeof MEMBERS / sizeof *MEMBERS) {
			return faults_refuse(problem, at->string);
		}
	}
	return true;
}

static bool faults_read_deed(const cJSON *document, struct faults_rule *rule,
			     struct problem *problem)
{
	const char *deed = json_text(document, "do");
	const char *on = json_text(document, "on");

	rule->on_any = on != NULL && strcmp(on, "any") == 0;
	rule->on = on != NULL ? kind_find(on) : KIND_COUNT;
	if (!rule->on_any && rule->on == KIND_COUNT) {
		return faults_refuse(problem, "on");
	}
	for (size_t i = 0; deed != NULL && i < sizeof DEEDS / sizeof *DEEDS; i++) {
		if (strcmp(DEEDS[i], deed) == 0) {
			rule->deed = (enum faults_deed)i;
			return rule->deed != FAULTS_CHALLENGE || rule->on != KIND_TOKEN ||
			       faults_refuse(problem, "do");
		}
	}
	return faults_refuse(problem, "do");
}

static bool faults_read_integer(const cJSON *document, const char *name, int64_t least,
				int64_t *out, struct problem *problem)
{
	if (json_member(document, name) == NULL) {
		return true;
	}
	return (json_integer(document, name, out) && *out >= least) || faults_refuse(problem, name);
}

static void faults_read_retry_after(const cJSON *document, struct faults_rule *rule)
{
	const cJSON *value = json_member(document, "retry_after");

	if (value == NULL) {
		snprintf(rule->retry_after, sizeof rule->retry_after, "%s",
			 rule->deed == FAULTS_THROTTLE ? "10" : "");
	} else if (cJSON_IsString(value)) {
		snprintf(rule->retry_after, sizeof rule->retry_after, "%s", value->valuestring);
	} else if (cJSON_IsNumber(value)) {
		snprintf(rule->retry_after, sizeof rule->retry_after, "%.15g", value->valuedouble);
	}
}

/* What takes the place of an answer's members. */
static bool faults_read_answer(const cJSON *document, struct faults_rule *rule,
			       struct problem *problem)
{
	const cJSON *answer = json_member(document, "answer");
	char *text;
	bool fits;

	if (rule->deed != FAULTS_AMEND) {
		return answer == NULL || faults_refuse(problem, "answer");
	}
	text = cJSON_IsObject(answer) ? cJSON_PrintUnformatted(answer) : NULL;
	fits = text != NULL && strlen(text) < sizeof rule->answer;
	text_copy(rule->answer, sizeof rule->answer, text);
	free(text);
	return fits || faults_refuse(problem, "answer");
}

/* What a refusal says where the rule's author did not. */
static void faults_default(struct faults_rule *rule, int64_t *status, const char **code)
{
	bool is_token = !rule->on_any && rule->on == KIND_TOKEN;

	if (rule->deed == FAULTS_THROTTLE) {
		*status = 429;
		*code = is_token ? "temporarily_unavailable" : "ApplicationThrottled";
	} else if (rule->deed == FAULTS_GATEWAY) {
		*status = 200;
		*code = "";
	} else if (rule->deed == FAULTS_CHALLENGE) {
		*status = 401;
		*code = "InvalidAuthenticationToken";
	} else {
		*status = is_token ? 400 : 500;
		*code = is_token ? "invalid_grant" : "InternalServerError";
	}
}

static bool faults_read(const cJSON *document, struct faults_rule *rule, struct problem *problem)
{
	const char *when = json_text(document, "when");
	const char *location = json_text(document, "location");
	const char *code;
	int64_t status;
	int64_t least;

	if (!cJSON_IsObject(document)) {
		return faults_refuse(problem, "body");
	}
	rule->times = 1;
	if (!faults_knows_members(document, problem) ||
	    !faults_read_deed(document, rule, problem)) {
		return false;
	}
	if (when != NULL && strcmp(when, "before") != 0 && strcmp(when, "after") != 0) {
		return faults_refuse(problem, "when");
	}
	rule->is_after = when != NULL && strcmp(when, "after") == 0;
	faults_default(rule, &status, &code);
	least = rule->deed == FAULTS_GATEWAY ? 200 : 400;
	if (!faults_read_integer(document, "status", least, &status, problem) ||
	    !faults_read_integer(document, "ms", 0, &rule->ms, problem) ||
	    !faults_read_integer(document, "times", 1, &rule->times, problem) ||
	    !faults_read_integer(document, "skip", 0, &rule->skip, problem) ||
	    !faults_read_answer(document, rule, problem)) {
		return false;
	}
	if (status > 599) {
		return faults_refuse(problem, "status");
	}
	rule->status = (int)status;
	code = json_text(document, "code") != NULL ? json_text(document, "code") : code;
	snprintf(rule->code, sizeof rule->code, "%s", code);
	snprintf(rule->location, sizeof rule->location, "%s", location != NULL ? location : "");
	faults_read_retry_after(document, rule);
	rule->account = memory_text(json_text(document, "account"));
	rule->assignment = memory_text(json_text(document, "assignment"));
	return true;
}

static void faults_free_rule(struct faults_rule *rule)
{
	free(rule->account);
	free(rule->assignment);
	free(rule);
}

/* What utlist's macros expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*,clang-analyzer-unix.Malloc) */
static void faults_append(struct faults *faults, struct faults_rule *rule)
{
	DL_APPEND(faults->rules, rule);
	faults->count++;
}

static void faults_remove(struct faults *faults, struct faults_rule *rule)
{
	DL_DELETE(faults->rules, rule);
	faults->count--;
	faults_free_rule(rule);
}
/* NOLINTEND(readability-function-*,clang-analyzer-unix.Malloc) */

int64_t faults_add(struct faults *faults, const cJSON *document, struct problem *problem)
{
	struct faults_rule *rule;

	if (faults->count == FAULTS_MAX) {
		problem_set(problem, 409, "BadRequest", "there are %d faults already", FAULTS_MAX);
		return 0;
	}
	rule = memory_zeroed(1, sizeof *rule);
	if (!faults_read(document, rule, problem)) {
		faults_free_rule(rule);
		return 0;
	}
	rule->id = ++faults->last_id;
	faults_append(faults, rule);
	return rule->id;
}

static bool faults_is_same(const char *wanted, const char *actual)
{
	return wanted == NULL || (actual != NULL && strcasecmp(wanted, actual) == 0);
}

static bool faults_meets(const struct faults_rule *rule, const struct faults_call *call)
{
	return (rule->on_any ? call->is_whole : rule->on == call->kind) &&
	       faults_is_same(rule->account, call->account) &&
	       faults_is_same(rule->assignment, call->assignment);
}

bool faults_refuses(const struct faults_rule *rule)
{
	return rule->deed == FAULTS_THROTTLE || rule->deed == FAULTS_ERROR ||
	       rule->deed == FAULTS_GATEWAY || rule->deed == FAULTS_CHALLENGE;
}

bool faults_take(struct faults *faults, const struct faults_call *call, struct faults_rule *out)
{
	struct faults_rule *rule;

	DL_FOREACH(faults->rules, rule)
	{
		if (!faults_meets(rule, call)) {
			continue;
		}
		if (rule->skip > 0) {
			rule->skip--;
			continue;
		}
		*out = *rule;
		out->account = NULL;
		out->assignment = NULL;
		if (--rule->times == 0) {
			faults_remove(faults, rule);
		}
		return true;
	}
	return false;
}

void faults_clear(struct faults *faults)
{
	while (faults->rules != NULL) {
		faults_remove(faults, faults->rules);
	}
}
