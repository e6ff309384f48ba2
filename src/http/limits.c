/* Token buckets in rows of eight, each row with its lock. */
#include "http/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum { ROWS = 4096, WAYS = 8, LOCKS = 64 };
enum { MINUTE_US = 60 * 1000 * 1000 };

struct bucket {
	uint64_t owner; /* 0: free */
	int64_t used;   /* microseconds of the minute that are spent: 0 full, MINUTE_US empty */
	int64_t at;     /* when `used` was true */
};

struct limits {
	uint64_t per_minute;
	int64_t price; /* microseconds of the minute that one request takes */
	uint64_t salt;
	pthread_mutex_t locks[LOCKS];
	struct bucket rows[ROWS][WAYS];
};

struct limits *limits_new(uint64_t per_minute)
{
	struct limits *limits = calloc(1, sizeof *limits);

	if (!limits)
		return NULL;
	limits->per_minute = per_minute;
	limits->price = per_minute ? MINUTE_US / (int64_t)per_minute : 0;
	if (per_minute && limits->price == 0)
		limits->price = 1;
	limits->salt = (uint64_t)clock_now();
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&limits->locks[i], NULL);
	return limits;
}

void limits_free(struct limits *limits)
{
	if (!limits)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&limits->locks[i]);
	free(limits);
}

static uint64_t owner_of(const struct limits *limits, const char *kind, const char *client,
                         const char *subject)
{
	uint64_t hash = limits->salt;
	const char *const parts[] = { kind, client ? client : "", subject ? subject : "" };

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		hash = (hash ^ text_hash(parts[i], strlen(parts[i]) + 1)) * 0x9E3779B97F4A7C15u;
	hash ^= hash >> 29;
	return hash ? hash : 1;
}

static void leak(struct bucket *bucket, int64_t now)
{
	bucket->used -= now - bucket->at;
	if (bucket->used < 0)
		bucket->used = 0;
	bucket->at = now;
}

/* The owner's bucket, or the one of its row that is spent least, emptied for the newcomer. */
static struct bucket *bucket_of(struct bucket row[static WAYS], uint64_t owner, int64_t now)
{
	struct bucket *best = &row[0];

	for (size_t i = 0; i < WAYS; i++) {
		leak(&row[i], now);
		if (row[i].owner == owner)
			return &row[i];
		if (row[i].owner == 0 || (best->owner != 0 && row[i].used < best->used))
			best = &row[i];
	}
	*best = (struct bucket){ .owner = owner, .at = now };
	return best;
}

static uint64_t seconds_up(int64_t us) { return us <= 0 ? 0 : (uint64_t)((us + 999999) / 1000000); }

static struct allowance take(struct limits *limits, uint64_t owner, unsigned cost)
{
	size_t row = owner % ROWS;
	pthread_mutex_t *lock = &limits->locks[row % LOCKS];
	struct allowance a = { .limited = true, .quota = limits->per_minute };
	int64_t price = limits->price * cost < MINUTE_US ? limits->price * cost : MINUTE_US;
	struct bucket *bucket;

	pthread_mutex_lock(lock);
	bucket = bucket_of(limits->rows[row], owner, clock_monotonic_us());
	a.granted = bucket->used + price <= MINUTE_US;
	if (a.granted)
		bucket->used += price;
	a.left = (uint64_t)((MINUTE_US - bucket->used) / limits->price);
	a.reset_s = seconds_up(a.granted ? bucket->used : bucket->used + price - MINUTE_US);
	pthread_mutex_unlock(lock);
	return a;
}

struct allowance limits_take(struct limits *limits, const char *kind, const char *client,
                             const char *subject, unsigned cost)
{
	if (limits->per_minute == 0)
		return (struct allowance){ .granted = true };
	return take(limits, owner_of(limits, kind, client, subject), cost);
}
