/* `carers-api token`: a development token, signed with the development key. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/mint.h"
#include "base/text.h"
#include "command.h"

enum { COUNCILS = 64, TTL_MAX = 10 * 366 * 24 * 3600 };

struct wanted {
	const char *role, *org, *carer, *scope, *subject, *ttl;
	const char *councils[COUNCILS + 1];
	size_t council_count;
};

static const struct {
	const char *word;
	size_t offset;
} options[] = {
	{ "--role", offsetof(struct wanted, role) },
	{ "--org", offsetof(struct wanted, org) },
	{ "--carer", offsetof(struct wanted, carer) },
	{ "--scope", offsetof(struct wanted, scope) },
	{ "--ttl", offsetof(struct wanted, ttl) },
	{ "--subject", offsetof(struct wanted, subject) },
};

static bool take_option(struct wanted *wanted, const char *word, const char *value)
{
	if (strcmp(word, "--council") == 0 && wanted->council_count < COUNCILS) {
		wanted->councils[wanted->council_count++] = value;
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(options); i++) {
		if (strcmp(options[i].word, word) != 0)
			continue;
		*(const char **)((char *)wanted + options[i].offset) = value;
		return true;
	}
	return false;
}

/* Seconds, with a sign. */
static bool ttl_parse(const char *text, int64_t *ret_ttl)
{
	bool negative = *text == '-';
	uint64_t number;

	if (!text_number(text + negative, 0, TTL_MAX, &number))
		return false;
	*ret_ttl = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

static bool read_words(const struct command_line *line, struct wanted *ret_wanted, int64_t *ret_ttl)
{
	for (int i = 0; i < line->count; i += 2)
		if (i + 1 == line->count ||
		    !take_option(ret_wanted, line->words[i], line->words[i + 1]))
			return false;
	return ret_wanted->role && (!ret_wanted->ttl || ttl_parse(ret_wanted->ttl, ret_ttl));
}

int command_token(const struct command_line *line)
{
	const struct settings *s = line->settings;
	struct wanted wanted = { 0 };
	int64_t ttl = 12 * 3600;
	text_auto *token = NULL;
	problem_auto p = { 0 };
	struct mint mint;

	if (!read_words(line, &wanted, &ttl)) {
		command_complain(NULL, "token --role R [--council GSS]... [--org ID] [--carer ID] "
		                       "[--scope \"...\"] "
		                       "[--ttl SECONDS] [--subject S]");
		return EXIT_USE;
	}
	mint = (struct mint){
		.key_file = s->dev_key,
		.kid = s->dev_kid,
		.alg = s->dev_alg,
		.issuer = s->issuer,
		.audience = s->audience,
		.role = wanted.role,
		.org = wanted.org,
		.carer = wanted.carer,
		.scope = wanted.scope,
		.subject = wanted.subject,
		.councils = wanted.councils,
		.ttl_s = ttl,
	};
	if (!mint_token(&mint, &token, &p)) {
		command_complain(NULL, p.detail);
		return EXIT_FAILED;
	}
	puts(token);
	return EXIT_GOOD;
}
