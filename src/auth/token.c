/* From the Authorization header to a principal: the cache first, then every check there is. */
#include "auth/token.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cache.h"
#include "auth/claims.h"
#include "auth/jose.h"
#include "auth/keys_own.h"
#include "auth/signature.h"
#include "base/clock.h"
#include "base/text.h"

struct tokens {
	char *issuer, *audience, *mfa_roles;
	unsigned skew_s;
	struct keys *keys;
	struct cache *cache;  /* NULL: none */
	EVP_MD *sha256;       /* fetched once: to look it up takes longer than to hash */
	pthread_key_t digest; /* an EVP_MD_CTX for each thread */
	bool has_digest;
	_Atomic uint64_t hits, misses;
};

static void digest_free(void *ctx) { EVP_MD_CTX_free(ctx); }
static void tokens_freep(struct tokens **tokens) { tokens_free(*tokens); }

struct tokens *tokens_new(const struct tokens_config *config, struct keys *keys)
{
	owned_by(tokens_freep) struct tokens *tokens = calloc(1, sizeof *tokens);

	if (!tokens)
		return NULL;
	tokens->keys = keys;
	tokens->skew_s = config->skew_s;
	tokens->issuer = text_copy(config->issuer);
	tokens->audience = text_copy(config->audience);
	tokens->mfa_roles = text_copy(config->mfa_roles ? config->mfa_roles : "");
	tokens->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	tokens->has_digest = pthread_key_create(&tokens->digest, digest_free) == 0;
	if (config->cache > 0)
		tokens->cache = cache_new(config->cache);
	if (!tokens->issuer || !tokens->audience || !tokens->mfa_roles || !tokens->sha256 ||
	    !tokens->has_digest || (config->cache > 0 && !tokens->cache))
		return NULL;
	return TAKE(tokens);
}

void tokens_free(struct tokens *tokens)
{
	if (!tokens)
		return;
	if (tokens->has_digest) {
		digest_free(pthread_getspecific(
			tokens->digest)); /* this thread's; others free theirs as they end */
		pthread_key_delete(tokens->digest);
	}
	EVP_MD_free(tokens->sha256);
	cache_free(tokens->cache);
	free(tokens->issuer);
	free(tokens->audience);
	free(tokens->mfa_roles);
	free(tokens);
}

struct tokens_state tokens_state(struct tokens *tokens)
{
	return (struct tokens_state){
		.hits = atomic_load(&tokens->hits),
		.misses = atomic_load(&tokens->misses),
		.cached = tokens->cache ? cache_count(tokens->cache) : 0,
	};
}

/* SHA-256 of the whole token, with a context that each thread keeps. */
static bool key_of(struct tokens *tokens, const char *token, size_t size,
                   uint8_t ret_key[static CACHE_KEY])
{
	EVP_MD_CTX *ctx = pthread_getspecific(tokens->digest);

	if (!ctx) {
		ctx = EVP_MD_CTX_new();
		if (!ctx || pthread_setspecific(tokens->digest, ctx) != 0) {
			EVP_MD_CTX_free(ctx);
			return false;
		}
	}
	return EVP_DigestInit_ex2(ctx, tokens->sha256, NULL) == 1 &&
	       EVP_DigestUpdate(ctx, token, size) == 1 &&
	       EVP_DigestFinal_ex(ctx, ret_key, NULL) == 1;
}

/* What follows the scheme, or NULL when the scheme is another (it has no case: RFC 9110, 11.1). */
static const char *after_bearer(const char *authorization)
{
	static const char scheme[] = "Bearer";
	size_t size = strcspn(authorization, " ");
	char first[sizeof scheme] = "";

	if (size >= sizeof first)
		return NULL;
	memcpy(first, authorization, size);
	return text_same_nocase(first, scheme)
	               ? authorization + size + strspn(authorization + size, " ")
	               : NULL;
}

/* token68 of RFC 9110, 11.2: what may follow `Bearer `. */
static bool token68(const char *text)
{
	static const char signs[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
	size_t size = strspn(text, signs);

	return size > 0 && text[size + strspn(text + size, "=")] == '\0';
}

static bool not_bearer(struct problem *p)
{
	p->challenge = "invalid_request";
	return problem(p, PROBLEM_UNAUTHENTICATED,
	               "the Authorization header is not `Bearer TOKEN`");
}

/* The current keys; for an unknown kid those that there are after the JWKS was read again. */
static struct key_set *keys_for(struct tokens *tokens, const char *kid)
{
	key_set_auto *set = keys_hold(tokens->keys);

	if (key_set_find(set, kid) || !keys_ask(tokens->keys))
		return TAKE(set);
	return keys_hold(tokens->keys);
}

struct verified {
	const struct principal *who;
	uint64_t generation; /* of the keys that it was verified with */
};

static bool verify(struct tokens *tokens, const char *token, struct verified *ret_verified,
                   struct problem *p)
{
	struct claims_rules rules = { tokens->issuer, tokens->audience, clock_seconds(),
		                      tokens->skew_s, tokens->mfa_roles };
	key_set_auto *set = NULL;
	json_auto_t *claims = NULL;
	const struct key *key;
	struct jose jose;

	if (!token68(token))
		return not_bearer(p);
	if (!jose_read(token, &jose, p))
		return false;
	set = keys_for(tokens, jose.kid);
	key = key_set_find(set, jose.kid);
	if (!key)
		return token_refused(p, "the token's key (kid) is not known here");
	if (jose.alg != key->alg)
		return token_refused(p, "the token's alg is not the one of its key");
	if (!signature_good(&jose, key))
		return token_refused(p, "the token's signature does not verify");
	if (!jose_claims(&jose, &claims, p))
		return false;
	ret_verified->generation = set->generation;
	return claims_read(claims, &rules, &ret_verified->who, p);
}

static const struct principal *recall(struct tokens *tokens, const uint8_t key[static CACHE_KEY])
{
	int64_t dead = clock_seconds() - (int64_t)tokens->skew_s;
	const struct principal *found =
		cache_find(tokens->cache, key, keys_generation(tokens->keys), dead);

	atomic_fetch_add_explicit(found ? &tokens->hits : &tokens->misses, 1, memory_order_relaxed);
	return found;
}

bool tokens_verify(struct tokens *tokens, const char *authorization,
                   const struct principal **ret_principal, struct problem *p)
{
	struct verified fresh = { 0 };
	uint8_t key[CACHE_KEY];
	const char *token;
	size_t size;

	if (!authorization)
		return problem(p, PROBLEM_UNAUTHENTICATED, "this operation needs an access token");
	token = after_bearer(authorization);
	if (!token)
		return not_bearer(p);
	size = strlen(token);
	if (size > TOKEN_LIMIT)
		return token_refused(p, "the token is longer than 8192 bytes");
	if (tokens->cache && !key_of(tokens, token, size, key))
		return problem(p, PROBLEM_UNAVAILABLE, "the token cannot be checked now");
	if (tokens->cache)
		fresh.who = recall(tokens, key);
	if (!fresh.who) {
		if (!verify(tokens, token, &fresh, p))
			return false;
		if (tokens->cache)
			cache_add(tokens->cache, key, fresh.generation, fresh.who);
	}
	*ret_principal = fresh.who;
	return true;
}
