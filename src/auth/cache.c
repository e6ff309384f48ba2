/* Verified tokens, remembered in shards of a hash table with SIEVE eviction. */
#include "auth/cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHARD_MIN = 64,
	LINE = 64
}; /* tokens that a shard is worth having for; bytes of a cache line */

#define NONE UINT32_MAX

struct slot {
	uint8_t key[CACHE_KEY];
	const struct principal *principal;
	uint64_t generation;
	uint32_t next;         /* in its bucket, or among the free */
	uint32_t older, newer; /* in the order of arrival */
	bool visited;
};

struct shard {
	_Alignas(LINE) pthread_mutex_t lock;
	struct slot *slots;
	uint32_t *buckets;
	uint32_t mask;            /* buckets - 1 */
	uint32_t capacity, fresh; /* slots; slots that were never used begin at `fresh` */
	uint32_t free;            /* a list of slots used before */
	uint32_t newest, oldest, hand;
	uint32_t count;
};

struct cache {
	struct shard shards[CACHE_SHARDS];
	uint32_t used; /* shards: a power of two */
};

static uint32_t *bucket_of(struct shard *s, const uint8_t *key)
{
	uint32_t hash;

	memcpy(&hash, key + sizeof hash, sizeof hash); /* a digest: every part of it is as good */
	return &s->buckets[hash & s->mask];
}

static struct shard *shard_of(struct cache *cache, const uint8_t *key)
{
	return &cache->shards[key[0] & (cache->used - 1)];
}

static bool shard_open(struct shard *s, size_t capacity)
{
	size_t buckets = 2;

	while (buckets < capacity)
		buckets *= 2;
	*s = (struct shard){ .free = NONE, .newest = NONE, .oldest = NONE, .hand = NONE };
	pthread_mutex_init(&s->lock, NULL);
	s->capacity = (uint32_t)capacity;
	s->mask = (uint32_t)buckets - 1;
	s->slots = calloc(capacity, sizeof *s->slots);
	s->buckets = malloc(buckets * sizeof *s->buckets);
	if (!s->slots || !s->buckets)
		return false;
	memset(s->buckets, 0xFF, buckets * sizeof *s->buckets); /* NONE everywhere */
	return true;
}

static void shard_close(struct shard *s)
{
	for (uint32_t at = s->newest; at != NONE; at = s->slots[at].older)
		principal_release(s->slots[at].principal);
	free(s->slots);
	free(s->buckets);
	pthread_mutex_destroy(&s->lock);
}

struct cache *cache_new(size_t capacity)
{
	struct cache *cache = aligned_alloc(LINE, sizeof *cache);
	bool good = cache != NULL;
	uint32_t shards = 1;

	if (!cache)
		return NULL;
	while (shards < CACHE_SHARDS && capacity / (shards * 2) >= SHARD_MIN)
		shards *= 2;
	cache->used = shards;
	for (uint32_t i = 0; i < shards; i++)
		good = shard_open(&cache->shards[i], capacity / shards) && good;
	if (good)
		return cache;
	for (uint32_t i = 0; i < shards; i++) {
		cache->shards[i].newest = NONE;
		shard_close(&cache->shards[i]);
	}
	free(cache);
	return NULL;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	for (uint32_t i = 0; i < cache->used; i++)
		shard_close(&cache->shards[i]);
	free(cache);
}

static uint32_t find(struct shard *s, const uint8_t *key)
{
	uint32_t at = *bucket_of(s, key);

	while (at != NONE && memcmp(s->slots[at].key, key, CACHE_KEY) != 0)
		at = s->slots[at].next;
	return at;
}

/* Takes the slot out of its bucket and the order, and gives back what it held. */
static const struct principal *forget(struct shard *s, uint32_t at)
{
	struct slot *slot = &s->slots[at];
	uint32_t *link = bucket_of(s, slot->key);

	while (*link != at)
		link = &s->slots[*link].next;
	*link = slot->next;
	*(slot->older == NONE ? &s->oldest : &s->slots[slot->older].newer) = slot->newer;
	*(slot->newer == NONE ? &s->newest : &s->slots[slot->newer].older) = slot->older;
	if (s->hand == at)
		s->hand = slot->newer;
	slot->next = s->free;
	s->free = at;
	s->count--;
	return TAKE(slot->principal);
}

/* SIEVE: the hand walks from old to new, spares once what was used since it last came by. */
static uint32_t victim(struct shard *s)
{
	uint32_t at = s->hand == NONE ? s->oldest : s->hand;

	while (s->slots[at].visited) {
		s->slots[at].visited = false;
		at = s->slots[at].newer == NONE ? s->oldest : s->slots[at].newer;
	}
	s->hand = at;
	return at;
}

static uint32_t take_slot(struct shard *s)
{
	uint32_t at = s->free;

	if (at == NONE)
		return s->fresh++;
	s->free = s->slots[at].next;
	return at;
}

static void put(struct shard *s, const uint8_t *key, uint64_t generation,
                const struct principal *principal)
{
	uint32_t at = take_slot(s);
	uint32_t *bucket = bucket_of(s, key);
	struct slot *slot = &s->slots[at];

	*slot = (struct slot){ .principal = principal_hold(principal),
		               .generation = generation,
		               .next = *bucket,
		               .older = s->newest,
		               .newer = NONE };
	memcpy(slot->key, key, CACHE_KEY);
	*bucket = at;
	*(s->newest == NONE ? &s->oldest : &s->slots[s->newest].newer) = at;
	s->newest = at;
	s->count++;
}

const struct principal *cache_find(struct cache *cache, const uint8_t key[static CACHE_KEY],
                                   uint64_t generation, int64_t dead)
{
	struct shard *s = shard_of(cache, key);
	const struct principal *found = NULL;
	principal_auto *gone = NULL;
	uint32_t at;

	pthread_mutex_lock(&s->lock);
	at = find(s, key);
	if (at != NONE && s->slots[at].generation == generation &&
	    s->slots[at].principal->expires > dead) {
		s->slots[at].visited = true;
		found = principal_hold(s->slots[at].principal);
	} else if (at != NONE) {
		gone = forget(s, at);
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

void cache_add(struct cache *cache, const uint8_t key[static CACHE_KEY], uint64_t generation,
               const struct principal *principal)
{
	struct shard *s = shard_of(cache, key);
	principal_auto *gone = NULL;
	uint32_t at;

	pthread_mutex_lock(&s->lock);
	at = find(s, key); /* another thread may have been first */
	if (at == NONE && s->count == s->capacity)
		at = victim(s);
	if (at != NONE)
		gone = forget(s, at);
	put(s, key, generation, principal);
	pthread_mutex_unlock(&s->lock);
}

size_t cache_count(struct cache *cache)
{
	size_t count = 0;

	for (uint32_t i = 0; i < cache->used; i++) {
		pthread_mutex_lock(&cache->shards[i].lock);
		count += cache->shards[i].count;
		pthread_mutex_unlock(&cache->shards[i].lock);
	}
	return count;
}
