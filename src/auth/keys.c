/* The place where the current key set stands, and the thread that reads the JWKS again. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/fetch.h"
#include "auth/keys_own.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

enum { RETRY_S = 10 }; /* after a JWKS that could not be read */

struct keys {
	char *files, *jwks;
	unsigned refresh_s;
	pthread_mutex_t build; /* one rebuild at a time; taken before `lock` */
	bool curl;
	bool behind; /* the last JWKS could not be read; under `build` */
	atomic_bool ending;
	_Atomic uint64_t generation;

	pthread_mutex_t lock; /* of all that follows; never held while a file or URL is read */
	pthread_cond_t wake, done;
	struct key_set *current;
	bool running, asked, busy;
	int64_t ask_after_us; /* monotonic */
	uint64_t rounds;      /* readings the thread has finished */
	unsigned waiters;
	pthread_t thread;
};

uint64_t keys_generation(const struct keys *keys)
{
	return atomic_load_explicit(&keys->generation, memory_order_acquire);
}

struct key_set *keys_hold(struct keys *keys)
{
	struct key_set *set;

	pthread_mutex_lock(&keys->lock);
	set = key_set_hold(keys->current);
	pthread_mutex_unlock(&keys->lock);
	return set;
}

size_t keys_count(const struct keys *keys)
{
	key_set_auto *set =
		keys_hold((struct keys *)(uintptr_t)keys); /* the count of holders is no change */

	return set->count;
}

/* Puts the set in its place; one with the very same keys is not worth forgetting every token for.
 */
static void publish(struct keys *keys, struct key_set *set)
{
	struct key_set *old;
	char count[24];

	if (keys->current && key_set_same(keys->current, set)) {
		key_set_release(set);
		return;
	}
	snprintf(count, sizeof count, "%zu", set->count);
	pthread_mutex_lock(&keys->lock);
	old = keys->current;
	set->generation = atomic_load(&keys->generation) + 1;
	keys->current = set;
	atomic_store_explicit(&keys->generation, set->generation, memory_order_release);
	pthread_mutex_unlock(&keys->lock);
	key_set_release(old);
	log_event(LOG_INFO, "keys_changed", "keys", count, NULL);
}

static bool read_jwks(struct keys *keys, struct key_set *set, struct problem *p)
{
	bool url = fetch_is_url(keys->jwks);
	text_auto *text = NULL;
	size_t size;

	if (!fetch_text(keys->jwks, &keys->ending, &text, &size, p))
		return false;
	return key_set_add_jwks(set, text, size, url ? JWK_PUBLISHED : JWK_PRIVATE_FILE, p);
}

/* The keys of the JWKS into `set`; if it cannot be read now, those it had before. */
static bool add_jwks(struct keys *keys, struct key_set *set, bool must, struct problem *p)
{
	key_set_auto *fresh = key_set_new();
	struct problem why = { 0 };

	if (!fresh)
		return problem(p, PROBLEM_INTERNAL, "the keys cannot be read: memory runs out");
	keys->behind = !read_jwks(keys, fresh, &why);
	if (!keys->behind)
		return key_set_add_from(set, fresh, KEY_FROM_JWKS, p);
	if (must)
		return problem(p, why.code, "%s", why.detail);
	log_event(LOG_WARNING, "jwks_unavailable", "why", why.detail, NULL);
	return key_set_add_from(set, keys->current, KEY_FROM_JWKS, p);
}

/* Under `build`. With `files` all is read, without only the JWKS. */
static bool rebuild(struct keys *keys, bool files, struct problem *p)
{
	key_set_auto *set = key_set_new();
	bool must = files && !fetch_is_url(keys->jwks);

	if (!set)
		return problem(p, PROBLEM_INTERNAL, "the keys cannot be read: memory runs out");
	if (files && !key_set_add_files(set, keys->files, p))
		return false;
	if (!files && !key_set_add_from(set, keys->current, KEY_FROM_FILES, p))
		return false;
	if (*keys->jwks && !add_jwks(keys, set, must, p))
		return false;
	publish(keys, TAKE(set));
	return true;
}

bool keys_reload(struct keys *keys, struct problem *p)
{
	bool good;

	pthread_mutex_lock(&keys->build);
	good = rebuild(keys, true, p);
	pthread_mutex_unlock(&keys->build);
	return good;
}

/* In how many seconds the next reading is due. */
static unsigned pause_s(struct keys *keys)
{
	bool behind;

	pthread_mutex_lock(&keys->build);
	behind = keys->behind;
	pthread_mutex_unlock(&keys->build);
	return behind && keys->refresh_s > RETRY_S ? RETRY_S : keys->refresh_s;
}

/* One reading by the thread. */
static void refresh(struct keys *keys)
{
	struct problem why = { 0 };

	pthread_mutex_lock(&keys->build);
	if (!rebuild(keys, false, &why))
		log_event(LOG_WARNING, "jwks_refused", "why", why.detail, NULL);
	pthread_mutex_unlock(&keys->build);
}

/* Under `lock`: until it is time, somebody asks, or the end. */
static void rest(struct keys *keys, unsigned seconds)
{
	struct timespec until = clock_in_ms((int64_t)seconds * 1000);
	int rc = 0;

	while (!atomic_load(&keys->ending) && !keys->asked && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&keys->wake, &keys->lock, &until);
}

static void *run(void *context)
{
	struct keys *keys = context;
	unsigned next = pause_s(keys);

	pthread_mutex_lock(&keys->lock);
	for (;;) {
		rest(keys, next);
		if (atomic_load(&keys->ending))
			break;
		keys->asked = false;
		keys->busy = true;
		pthread_mutex_unlock(&keys->lock);
		refresh(keys);
		next = pause_s(keys);
		pthread_mutex_lock(&keys->lock);
		keys->busy = false;
		keys->rounds++;
		pthread_cond_broadcast(&keys->done);
	}
	pthread_mutex_unlock(&keys->lock);
	return NULL;
}

/* Under `lock`: has a reading begun, or is one under way? */
static bool reading(struct keys *keys)
{
	int64_t now = clock_monotonic_us();

	if (now < keys->ask_after_us)
		return keys->asked || keys->busy;
	keys->ask_after_us = now + (int64_t)KEYS_ASK_EVERY_S * 1000000;
	keys->asked = true;
	pthread_cond_signal(&keys->wake);
	return true;
}

bool keys_ask(struct keys *keys)
{
	struct timespec until = clock_in_ms(KEYS_ASK_WAIT_MS);
	uint64_t wanted;
	bool done = false;
	int rc = 0;

	if (!*keys->jwks)
		return false;
	pthread_mutex_lock(&keys->lock);
	if (reading(keys) && keys->waiters < KEYS_ASK_WAITERS) {
		wanted = keys->rounds + 1 + (keys->busy && keys->asked);
		keys->waiters++;
		while (keys->rounds < wanted && rc != ETIMEDOUT)
			rc = pthread_cond_timedwait(&keys->done, &keys->lock, &until);
		keys->waiters--;
		done = keys->rounds >= wanted;
	}
	pthread_mutex_unlock(&keys->lock);
	return done;
}

/* The thread takes no signals: they are for the one who waits for them. */
static bool start(struct keys *keys, struct problem *p)
{
	sigset_t all, before;
	int rc;

	if (!*keys->jwks)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&keys->thread, NULL, run, keys);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		return problem(p, PROBLEM_INTERNAL,
		               "the thread that reads the JWKS cannot be started");
	keys->running = true;
	return true;
}

static struct keys *keys_new(const struct keys_config *config)
{
	struct keys *keys = calloc(1, sizeof *keys);

	if (!keys)
		return NULL;
	pthread_mutex_init(&keys->build, NULL);
	pthread_mutex_init(&keys->lock, NULL);
	clock_condition(&keys->wake);
	clock_condition(&keys->done);
	keys->files = text_copy(config->files ? config->files : "");
	keys->jwks = text_copy(config->jwks ? config->jwks : "");
	keys->refresh_s = config->refresh_s > 0 ? config->refresh_s : 1;
	return keys;
}

static void keys_closep(struct keys **keys) { keys_close(*keys); }

bool keys_open(const struct keys_config *config, struct keys **ret_keys, struct problem *p)
{
	owned_by(keys_closep) struct keys *keys = keys_new(config);

	if (!keys || !keys->files || !keys->jwks)
		return problem(p, PROBLEM_INTERNAL, "the keys cannot be read: memory runs out");
	if (fetch_is_url(keys->jwks)) {
		if (!fetch_url_allowed(keys->jwks, p))
			return false;
		keys->curl = fetch_start();
		if (!keys->curl)
			return problem(p, PROBLEM_INTERNAL, "libcurl cannot be started");
	}
	if (!keys_reload(keys, p) || !start(keys, p))
		return false;
	*ret_keys = TAKE(keys);
	return true;
}

void keys_close(struct keys *keys)
{
	if (!keys)
		return;
	pthread_mutex_lock(&keys->lock);
	atomic_store(&keys->ending, true);
	pthread_cond_broadcast(&keys->wake);
	pthread_mutex_unlock(&keys->lock);
	if (keys->running)
		pthread_join(keys->thread, NULL);
	if (keys->curl)
		fetch_stop();
	key_set_release(keys->current);
	pthread_cond_destroy(&keys->done);
	pthread_cond_destroy(&keys->wake);
	pthread_mutex_destroy(&keys->lock);
	pthread_mutex_destroy(&keys->build);
	free(keys->files);
	free(keys->jwks);
	free(keys);
}
