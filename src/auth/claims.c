/* The claims of a token, each checked, to a principal. */
#include "auth/claims.h"

#include <string.h>

#include "auth/jose.h"
#include "auth/scopes.h"
#include "auth/token.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "base/uuid.h"

enum {
	WORD_MAX = 255,      /* bytes of sub and client_id */
	SCOPE_MAX = 2 * KIB, /* bytes */
	COUNCILS_MAX = 200,  /* England and Wales have 175 with social services */
	GSS_SIZE = 9,        /* a letter and eight digits */
	AUDIENCES_MAX = 100,
};

static const int64_t year_9999 = 253402300799; /* NumericDate of its last second */

struct reading {
	const json_t *claims;
	const struct claims_rules *rules;
	struct problem *p;
	struct principal who;
	char org[UUID_TEXT], carer[UUID_TEXT];
	char councils[COUNCILS_MAX * (GSS_SIZE + 1) + sizeof "{}"];
};

static const struct role {
	const char *name, *class;
} known_roles[] = {
#define X(role, class) { role, class },
#include "auth/roles.def"
#undef X
};

/* Roles that act for an organisation: all of class carers_partner, and these. */
static const char *const of_organisations[] = { "referrer", "vcfse_editor" };

bool claims_expired(int64_t exp, int64_t now, unsigned skew_s)
{
	return exp <= now - (int64_t)skew_s;
}

static bool check_issuer(struct reading *r)
{
	const char *iss = json_text(r->claims, "iss");

	if (!iss)
		return token_refused(r->p, "the token has no iss");
	if (!*iss || strcmp(iss, r->rules->issuer) != 0)
		return token_refused(r->p, "the token is from another issuer (iss)");
	r->who.issuer = iss;
	return true;
}

static bool is_ours(const json_t *aud, const struct reading *r)
{
	return json_is_string(aud) && strcmp(json_string_value(aud), r->rules->audience) == 0;
}

static bool check_audience(struct reading *r)
{
	const json_t *aud = json_object_get(r->claims, "aud");
	const json_t *one;
	bool ours = is_ours(aud, r);
	size_t i;

	if (!aud)
		return token_refused(r->p, "the token has no aud");
	json_array_foreach (aud, i, one) {
		if (!json_is_string(one) || i >= AUDIENCES_MAX)
			return token_refused(
				r->p, "the token's aud is neither a text nor a list of texts");
		ours = ours || is_ours(one, r);
	}
	if (!ours)
		return token_refused(r->p, "the token is for another audience (aud)");
	return true;
}

/* A NumericDate (RFC 7519) of whole seconds, also when it is written as 1.5e9. */
static bool numeric_date(const json_t *value, int64_t *ret_date)
{
	double real = json_is_real(value) ? json_real_value(value) : 0;
	int64_t date = json_is_integer(value) ? json_integer_value(value) : 0;

	if (!json_is_number(value))
		return false;
	if (json_is_real(value)) {
		if (!(real >= 0 && real <= (double)year_9999) || (double)(int64_t)real != real)
			return false;
		date = (int64_t)real;
	}
	if (date < 0 || date > year_9999)
		return false;
	*ret_date = date;
	return true;
}

static bool check_expiry(struct reading *r)
{
	const json_t *exp = json_object_get(r->claims, "exp");

	if (!exp)
		return token_refused(r->p, "the token has no exp");
	if (!numeric_date(exp, &r->who.expires))
		return token_refused(r->p, "the token's exp is not a date in whole seconds");
	if (claims_expired(r->who.expires, r->rules->now, r->rules->skew_s))
		return token_refused(r->p, "the token has expired (exp)");
	return true;
}

static bool check_start(struct reading *r)
{
	const json_t *nbf = json_object_get(r->claims, "nbf");
	const json_t *iat = json_object_get(r->claims, "iat");
	int64_t latest = r->rules->now + (int64_t)r->rules->skew_s;
	int64_t from = 0;

	if (nbf && !numeric_date(nbf, &from))
		return token_refused(r->p, "the token's nbf is not a date in whole seconds");
	if (from > latest)
		return token_refused(r->p, "the token is not valid yet (nbf)");
	if (iat && !numeric_date(iat, &r->who.issued))
		return token_refused(r->p, "the token's iat is not a date in whole seconds");
	if (r->who.issued > latest)
		return token_refused(r->p, "the token is issued in the future (iat)");
	return true;
}

static bool word(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && *text && strlen(text) <= WORD_MAX && text_visible(text);
}

static bool check_names(struct reading *r)
{
	const json_t *sub = json_object_get(r->claims, "sub");
	const json_t *client = json_object_get(r->claims, "client_id");

	if (!sub)
		return token_refused(r->p, "the token has no sub");
	if (!word(sub))
		return token_refused(r->p,
		                     "the token's sub is not 1 to 255 visible ASCII characters");
	if (client && !word(client))
		return token_refused(
			r->p, "the token's client_id is not 1 to 255 visible ASCII characters");
	r->who.subject = json_string_value(sub);
	r->who.client = json_string_value(client);
	return true;
}

static bool check_role(struct reading *r)
{
	const json_t *role = json_object_get(r->claims, "role");

	if (!role)
		return token_refused(r->p, "the token has no role");
	for (size_t i = 0; json_is_string(role) && i < COUNT_OF(known_roles); i++) {
		if (strcmp(known_roles[i].name, json_string_value(role)) != 0)
			continue;
		r->who.role = known_roles[i].name;
		r->who.class = known_roles[i].class;
		return true;
	}
	return token_refused(r->p, "the token's role is not one that is known here");
}

static bool listed(const char *role, const char *roles)
{
	size_t size = strlen(role);

	for (const char *at = roles; at && (at = strstr(at, role)); at += size)
		if ((at == roles || at[-1] == ',') && (at[size] == '\0' || at[size] == ','))
			return true;
	return false;
}

static bool known_role(const char *name, size_t size)
{
	for (size_t i = 0; i < COUNT_OF(known_roles); i++)
		if (strlen(known_roles[i].name) == size &&
		    memcmp(known_roles[i].name, name, size) == 0)
			return true;
	return false;
}

bool tokens_roles_known(const char *roles)
{
	for (const char *at = roles; *at;) {
		size_t size = strcspn(at, ",");

		if (!known_role(at, size))
			return false;
		at += size + (at[size] == ',');
	}
	return true;
}

/* Authentication methods (RFC 8176): several factors, where the council asks for them. The
 * challenge is RFC 9470's: the app sends its user through a stronger login. */
static bool check_methods(struct reading *r)
{
	const json_t *amr = json_object_get(r->claims, "amr");
	const json_t *one;
	size_t i;

	if (!listed(r->who.role, r->rules->mfa_roles))
		return true;
	json_array_foreach (amr, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), "mfa") == 0)
			return true;
	r->p->challenge = "insufficient_user_authentication";
	return problem(r->p, PROBLEM_UNAUTHENTICATED,
	               "the token does not say that several factors were used (amr)");
}

static bool check_scope(struct reading *r)
{
	const json_t *scope = json_object_get(r->claims, "scope");

	if (scope && (!json_is_string(scope) || json_string_length(scope) > SCOPE_MAX ||
	              !scopes_well_formed(json_string_value(scope))))
		return token_refused(r->p, "the token's scope is not words parted by single "
		                           "spaces, at most 2048 bytes");
	r->who.scope = scope ? json_string_value(scope) : "";
	return true;
}

/* ONS codes of local authorities in the four nations: E09000019. */
static bool gss_code(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == GSS_SIZE && strchr("EWSNKJLM", text[0]) &&
	       strspn(text + 1, "0123456789") == GSS_SIZE - 1;
}

static bool check_councils(struct reading *r)
{
	const json_t *councils = json_object_get(r->claims, "councils");
	size_t size = 0;
	const json_t *one;
	size_t i;

	if (councils && (!json_is_array(councils) || json_array_size(councils) > COUNCILS_MAX))
		return token_refused(
			r->p, "the token's councils are not a list of at most 200 GSS codes");
	r->councils[size++] = '{';
	json_array_foreach (councils, i, one) {
		if (!gss_code(one))
			return token_refused(r->p, "the token's councils are not all GSS codes");
		r->councils[size] = '\0';
		if (strstr(r->councils, json_string_value(one))) /* said twice */
			continue;
		if (size > 1)
			r->councils[size++] = ',';
		memcpy(r->councils + size, json_string_value(one), GSS_SIZE);
		size += GSS_SIZE;
	}
	r->councils[size++] = '}';
	r->councils[size] = '\0';
	r->who.councils = r->councils;
	return true;
}

/* A uuid in its one form (lower case), or false. */
static bool uuid_read(const json_t *value, char ret_text[static UUID_TEXT])
{
	uint8_t uuid[UUID_BYTES];

	if (!json_is_string(value) || !uuid_parse(json_string_value(value), uuid))
		return false;
	uuid_print(uuid, ret_text);
	return true;
}

static bool acts_for_organisation(const struct principal *who)
{
	for (size_t i = 0; i < COUNT_OF(of_organisations); i++)
		if (strcmp(who->role, of_organisations[i]) == 0)
			return true;
	return strcmp(who->class, "carers_partner") == 0;
}

/* Only roles that act for an organisation have one: in any other token org says nothing. */
static bool check_organisation(struct reading *r)
{
	const json_t *org = json_object_get(r->claims, "org");
	bool needed = acts_for_organisation(&r->who);

	if (!org && needed)
		return token_refused(r->p, "the token has no org, which its role needs");
	if (org && !uuid_read(org, r->org))
		return token_refused(r->p, "the token's org is not a UUID");
	r->who.org = needed ? r->org : NULL;
	return true;
}

/* Only the carer's own role acts as a carer: in any other token carer_id says nothing. */
static bool check_carer(struct reading *r)
{
	const json_t *carer = json_object_get(r->claims, "carer_id");
	bool needed = strcmp(r->who.role, "carer") == 0;

	if (!carer && needed)
		return token_refused(r->p, "the token has no carer_id, which its role needs");
	if (carer && !uuid_read(carer, r->carer))
		return token_refused(r->p, "the token's carer_id is not a UUID");
	r->who.carer = needed ? r->carer : NULL;
	return true;
}

static bool (*const checks[])(struct reading *r) = {
	check_issuer,  check_audience, check_expiry,   check_start,        check_names, check_role,
	check_methods, check_scope,    check_councils, check_organisation, check_carer,
};

bool claims_read(const json_t *claims, const struct claims_rules *rules,
                 const struct principal **ret_principal, struct problem *p)
{
	struct reading r = { .claims = claims, .rules = rules, .p = p };
	const struct principal *made;

	for (size_t i = 0; i < COUNT_OF(checks); i++)
		if (!checks[i](&r))
			return false;
	made = principal_new(&r.who);
	if (!made)
		return problem(p, PROBLEM_UNAVAILABLE, "the token cannot be checked now");
	*ret_principal = made;
	return true;
}
