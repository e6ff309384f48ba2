/* Who asks: what a verified token says, parsed once. Immutable and counted, so that the cache and
 * calls share it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct scopes;

struct principal {
	const char *subject, *client, *role;
	const char *class;    /* PostgreSQL role of the caller's class (see roles.def) */
	const char *councils; /* array literal: "{}" or "{E09000019,...}" */
	const char *org;      /* uuid in lower case, or NULL */
	const char *carer;    /* uuid in lower case, or NULL */
	const char *scope;    /* as the token has it, single spaces */
	const char *issuer;
	bool anonymous;
	int64_t expires; /* seconds since 1970 */
	int64_t issued;  /* seconds since 1970, 0 when the token does not say */
};

/* A counted copy of what `says` says, held once by the caller. NULL when memory runs out. */
const struct principal *principal_new(const struct principal *says);
/* The public: no token, class carers_public. Never freed. */
const struct principal *principal_public(void);
const struct principal *principal_hold(const struct principal *principal);
void principal_release(const struct principal *principal); /* takes NULL */
static inline void principal_releasep(const struct principal **p) { principal_release(*p); }
#define principal_auto owned_by(principal_releasep) const struct principal
