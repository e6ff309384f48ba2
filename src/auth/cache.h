/*
 * Verified tokens, remembered by the SHA-256 of the whole token: bounded, cut into shards with a
 * lock each, the least useful forgotten first (SIEVE: https://cachemon.github.io/SIEVE-website/; a
 * hit writes one flag, no list).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/principal.h"

enum { CACHE_KEY = 32, CACHE_SHARDS = 64 };

struct cache;

/* NULL when memory runs out. `capacity` is at least 1; it is never exceeded. */
struct cache *cache_new(size_t capacity);
void cache_free(struct cache *cache); /* takes NULL */
/* The principal, held for the caller; NULL when it is not there, is of another generation, or
 * expires at or before `dead` (it is forgotten then). */
const struct principal *cache_find(struct cache *cache, const uint8_t key[static CACHE_KEY],
                                   uint64_t generation, int64_t dead);
/* Holds the principal itself. */
void cache_add(struct cache *cache, const uint8_t key[static CACHE_KEY], uint64_t generation,
               const struct principal *principal);
size_t cache_count(struct cache *cache);
