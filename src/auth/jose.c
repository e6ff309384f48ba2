/* The outside of a compact token, read strictly. */
#include "auth/jose.h"

#include <string.h>

#include "auth/token.h"
#include "base/json.h"
#include "base/text.h"

struct part {
	const char *text;
	size_t size;
};

enum { HEADER, PAYLOAD, SIGNATURE, PARTS };

/* Headers that name a key, or that ask for what we do not do (RFC 8725, 3.10; RFC 7515, 4.1.11). */
static const struct {
	const char *name, *why;
} refused[] = {
	{ "crit", "the token's header has crit, which is not known here" },
	{ "jku", "the token's header brings a key URL (jku), which is never followed" },
	{ "jwk", "the token's header brings its own key (jwk), which is never used" },
	{ "x5u", "the token's header brings a certificate URL (x5u), which is never followed" },
	{ "x5c", "the token's header brings its own certificate (x5c), which is never used" },
	{ "b64", "the token's header has b64, which is not known here" },
	{ "zip", "the token's header has zip, which is not known here" },
};

/*
 * RFC 9068 wants at+jwt; most identity providers still write JWT, and are taken too: an ID token of
 * the same provider does not pass, since its aud is another's and it has no role.
 */
static const struct {
	const char *typ;
	bool plain;
} typs[] = {
	{ "at+jwt", false },
	{ "application/at+jwt", false },
	{ "JWT", true },
};

static bool split(const char *token, struct part parts[static PARTS])
{
	for (int i = 0; i < PARTS; i++) {
		size_t size = strcspn(token, ".");

		parts[i] = (struct part){ token, size };
		token += size;
		if ((*token == '.') != (i < SIGNATURE))
			return false;
		token += *token == '.';
	}
	return true;
}

/* A part as a JSON object without duplicate names, or NULL. */
static json_t *object_of(const struct part *part)
{
	unsigned char bytes[TOKEN_LIMIT];
	struct problem why = { 0 };
	json_auto_t *json = NULL;
	size_t size;

	if (part->size == 0 || !text_base64url_decode(part->text, part->size, bytes, &size))
		return NULL;
	if (!json_read((const char *)bytes, size, &json, &why) || !json_is_object(json))
		return NULL;
	return TAKE(json);
}

static bool typ_read(const json_t *header, struct jose *jose, struct problem *p)
{
	const char *typ = json_text(header, "typ");

	for (size_t i = 0; typ && i < COUNT_OF(typs); i++) {
		if (!text_same_nocase(typ, typs[i].typ))
			continue;
		jose->plain_jwt = typs[i].plain;
		return true;
	}
	return token_refused(p, "the token's typ is neither at+jwt nor JWT");
}

static bool header_read(const struct part *part, struct jose *jose, struct problem *p)
{
	json_auto_t *header = object_of(part);
	const char *alg = json_text(header, "alg");
	const char *kid = json_text(header, "kid");

	if (!header)
		return token_refused(p, "the token's header is not a JSON object in base64url "
		                        "without duplicate names");
	jose->alg = alg ? alg_by_name(alg) : NULL;
	if (!jose->alg)
		return token_refused(p, "the token's alg is not one that is accepted here");
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (json_object_get(header, refused[i].name))
			return token_refused(p, refused[i].why);
	if (!typ_read(header, jose, p))
		return false;
	if (!kid)
		return token_refused(p, "the token's header has no kid");
	if (!kid_well_formed(kid))
		return token_refused(p, "the token's kid is not 1 to 128 of A-Z a-z 0-9 . _ ~ -");
	memcpy(jose->kid, kid, strlen(kid) + 1);
	return true;
}

static bool signature_read(const struct part *part, struct jose *jose, struct problem *p)
{
	unsigned char bytes[TOKEN_LIMIT];

	if (part->size == 0)
		return token_refused(p, "the token has no signature");
	if (!text_base64url_decode(part->text, part->size, bytes, &jose->signature_size))
		return token_refused(p, "the token's signature is not base64url");
	if (jose->signature_size > sizeof jose->signature)
		return token_refused(p, "the token's signature does not verify");
	memcpy(jose->signature, bytes, jose->signature_size);
	return true;
}

bool jose_read(const char *token, struct jose *ret_jose, struct problem *p)
{
	struct jose jose = { .token = token };
	struct part parts[PARTS];

	if (strnlen(token, TOKEN_LIMIT + 1) > TOKEN_LIMIT)
		return token_refused(p, "the token is longer than 8192 bytes");
	if (!split(token, parts))
		return token_refused(p, "the token does not have three parts");
	if (!header_read(&parts[HEADER], &jose, p) || !signature_read(&parts[SIGNATURE], &jose, p))
		return false;
	jose.header_size = parts[HEADER].size;
	jose.signed_size = parts[HEADER].size + 1 + parts[PAYLOAD].size;
	*ret_jose = jose;
	return true;
}

bool jose_claims(const struct jose *jose, json_t **ret_claims, struct problem *p)
{
	size_t before = jose->header_size + 1;
	struct part payload = { jose->token + before, jose->signed_size - before };
	json_t *claims = object_of(&payload);

	if (!claims)
		return token_refused(p, "the token's claims are not a JSON object in base64url "
		                        "without duplicate names");
	*ret_claims = claims;
	return true;
}
