/* Development tokens (RFC 9068): the same checks that `serve` makes are made before one is signed.
 */
#include "auth/mint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/claims.h"
#include "auth/jose.h"
#include "auth/signature.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/uuid.h"

#define CARERS_ALL      "carers:read carers:write "
#define ASSESSMENTS_ALL "assessments:read assessments:write "
#define BREAKS_ALL      "breaks:read breaks:write "
#define REFERRALS_ALL   "referrals:read referrals:write"
#define WEBHOOKS        " webhooks:manage"
#define PARTNER         CARERS_ALL ASSESSMENTS_ALL BREAKS_ALL REFERRALS_ALL WEBHOOKS
#define PRACTICE                                                               \
	CARERS_ALL ASSESSMENTS_ALL BREAKS_ALL "funding:approve " REFERRALS_ALL \
					      " reports:read audit:read"

/* What a token of the role is for, in words. */
static const struct {
	const char *role, *scopes;
} scopes[] = {
	{ "council_admin", PRACTICE " directory:write directory:publish" WEBHOOKS " admin" },
	{ "practitioner", PRACTICE },
	{ "commissioner", "reports:read" },
	{ "directory_editor", "directory:write directory:publish" },
	{ "assessor", PARTNER },
	{ "support_worker", PARTNER },
	{ "hospital_in_reach", PARTNER },
	{ "break_provider", "carers:read " BREAKS_ALL REFERRALS_ALL WEBHOOKS },
	{ "referrer", REFERRALS_ALL WEBHOOKS },
	{ "vcfse_editor", "directory:write " REFERRALS_ALL WEBHOOKS },
	{ "carer", CARERS_ALL "assessments:read breaks:read " REFERRALS_ALL },
};

enum { PRIVATE_KEY_LIMIT = 16 * KIB };

const char *mint_scopes(const char *role)
{
	for (size_t i = 0; i < COUNT_OF(scopes); i++)
		if (strcmp(scopes[i].role, role) == 0)
			return scopes[i].scopes;
	return NULL;
}

/* A NULL text leaves its claim out. */
static bool claim(json_t *claims, const char *name, const char *text)
{
	return !text || json_object_set_new(claims, name, json_string(text)) == 0;
}

static bool claim_councils(json_t *claims, const char *const *councils)
{
	json_auto_t *list = json_array();

	if (!councils || !*councils)
		return true;
	for (; *councils; councils++)
		if (!list || json_array_append_new(list, json_string(*councils)) < 0)
			return false;
	return json_object_set(claims, "councils", list) == 0;
}

/* A token that has expired was issued before it did. */
static int64_t issued_at(const struct mint *mint)
{
	return clock_seconds() + (mint->ttl_s < 0 ? mint->ttl_s - 1 : 0);
}

static json_t *claims_of(const struct mint *mint, const char *scope)
{
	json_auto_t *claims = json_object();
	char id[UUID_TEXT];
	buf_auto subject = { .limit = 300 };

	uuid_make(id);
	if (!claims || !buf_addf(&subject, "dev-%s", mint->role))
		return NULL;
	if (!claim(claims, "iss", mint->issuer) || !claim(claims, "aud", mint->audience) ||
	    !claim(claims, "sub", mint->subject ? mint->subject : buf_text(&subject)) ||
	    !claim(claims, "client_id", "dev") || !claim(claims, "jti", id) ||
	    !claim(claims, "role", mint->role) || !claim(claims, "scope", scope) ||
	    !claim(claims, "org", mint->org) || !claim(claims, "carer_id", mint->carer) ||
	    !claim_councils(claims, mint->councils) ||
	    json_object_set_new(claims, "iat", json_integer(issued_at(mint))) < 0 ||
	    json_object_set_new(claims, "exp", json_integer(clock_seconds() + mint->ttl_s)) < 0)
		return NULL;
	return TAKE(claims);
}

static bool add_base64url(struct buf *b, const void *bytes, size_t size)
{
	text_auto *text = malloc(size * 4 / 3 + 4);

	if (!text)
		return false;
	text_base64url_encode(bytes, size, text);
	return buf_add(b, text);
}

static bool add_json(struct buf *b, const json_t *json)
{
	text_auto *text = json ? json_print(json) : NULL;

	return text && add_base64url(b, text, strlen(text));
}

static bool sign(struct buf *token, const struct alg *alg, const char *file, struct problem *p)
{
	unsigned char signature[SIGNATURE_MAX];
	struct signing with = { .alg = alg };
	text_auto *key = NULL;
	size_t size;
	bool good;

	key = text_file(file, PRIVATE_KEY_LIMIT, &with.key_size);
	if (!key)
		return problem(p, PROBLEM_INTERNAL, "the signing key cannot be read: %s",
		               strerror(errno));
	with.key = key;
	good = signature_make(&with, buf_text(token), token->size, signature, &size);
	explicit_bzero(key, with.key_size);
	if (!good)
		return problem(p, PROBLEM_INTERNAL, "the signing key is not one that %s signs with",
		               alg->name);
	if (!buf_add(token, ".") || !add_base64url(token, signature, size))
		return problem(p, PROBLEM_INTERNAL, "the token is too long");
	return true;
}

bool mint_token(const struct mint *mint, char **ret_token, struct problem *p)
{
	const struct alg *alg = alg_by_name(mint->alg);
	const char *scope = mint->scope ? mint->scope : mint_scopes(mint->role);
	/* A second is forgiven: one may begin between this line and the token's iat. */
	struct claims_rules rules = { mint->issuer, mint->audience, issued_at(mint), 1, NULL };
	principal_auto *checked = NULL;
	json_auto_t *claims = NULL;
	json_auto_t *header = NULL;
	buf_auto token = { .limit = 8 * KIB };

	if (!alg)
		return problem(p, PROBLEM_INTERNAL, "the signing algorithm is not known here");
	claims = claims_of(mint, scope);
	header = json_pack("{s:s, s:s, s:s}", "alg", mint->alg, "kid", mint->kid, "typ", "at+jwt");
	if (!claims || !header)
		return problem(p, PROBLEM_INTERNAL, "the token cannot be made: memory runs out");
	if (mint->ttl_s != 0 && !claims_read(claims, &rules, &checked, p))
		return false;
	if (!add_json(&token, header) || !buf_add(&token, ".") || !add_json(&token, claims))
		return problem(p, PROBLEM_INTERNAL, "the token is too long");
	if (!sign(&token, alg, mint->key_file, p))
		return false;
	*ret_token = buf_take(&token);
	return true;
}
