/*
 * The one failure type. A function that can fail returns bool and takes a `struct problem *` last;
 * on false the problem says what the caller of the API is told. Nothing in it is a secret, SQL, or
 * a value that the caller sent.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum problem_code {
	PROBLEM_NONE,
#define X(symbol, status, slug, title, advice) PROBLEM_##symbol,
#include "base/problems.def"
#undef X
	PROBLEM_CODES
};

struct problem {
	enum problem_code code;
	char detail[256]; /* one sentence for the caller */
	const char
		*challenge;   /* static text: the `error` of WWW-Authenticate (RFC 6750), or NULL */
	unsigned retry_after; /* seconds; 0: no Retry-After */
	json_t *members; /* extension members (`errors`, `rule`, `candidates` ...); owned, may be
	                    NULL */
};

struct problem_kind {
	const char *slug, *title, *advice;
	int status;
};

/* Records the failure and returns false, so that `return problem(...)` reads as a sentence. */
bool problem(struct problem *p, enum problem_code code, const char *fmt, ...) printf_like(3, 4);

/* Breach of a named rule (C1, A5 ...; each stands in the contract): `rule-violated`. */
bool problem_rule(struct problem *p, const char *rule, const char *fmt, ...) printf_like(3, 4);

/*
 * Adds one fault to `errors`: where (a JSON pointer), the keyword it breaks, a sentence. Sets
 * `code` and a detail that counts the faults. At most PROBLEM_FAULTS are kept, each with a sentence
 * of less than PROBLEM_MESSAGE bytes.
 */
enum { PROBLEM_FAULTS = 100, PROBLEM_MESSAGE = 800 };
bool problem_fault(struct problem *p, enum problem_code code, const char *pointer,
                   const char *keyword, const char *fmt, ...) printf_like(5, 6);

/* Gives the problem an extension member; takes the reference of `value` (NULL is passed over). */
void problem_member(struct problem *p, const char *name, json_t *value);

/* What stands in problems.def about a code. */
const struct problem_kind *problem_kind(enum problem_code code);

/* Frees what the problem owns and makes it PROBLEM_NONE again. */
void problem_done(struct problem *p);

#define problem_auto owned_by(problem_done) struct problem
