/* One thread, one multi handle of libcurl: a receiver that hangs holds nothing but its own places.
 */
#include "webhook/dispatcher.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "db/tx.h"
#include "outbox_queries.h"
#include "webhook/backoff.h"
#include "webhook/post.h"

enum { AT_ONCE = 256, OF_EACH = 4, STOP_MS = 3000 };

struct dispatcher {
	struct dispatcher_config config;
	struct post_config post;
	struct db_pool *pool;
	CURLM *multi;
	pthread_t thread;
	atomic_bool ending;
	atomic_uint under_way;
	_Atomic uint64_t delivered, failed;
	struct post *posts[AT_ONCE]; /* of the thread, like all that follows */
	int64_t look_at_us;          /* monotonic: when the outbox is looked at next */
	bool blind;                  /* it could not be, the last time */
};

static const struct db_claims nobody = { .operation = "tellWebhooks" };

/* --- what is under way */

static bool place(struct dispatcher *d, struct post *post)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (!d->posts[i]) {
			d->posts[i] = post;
			atomic_fetch_add(&d->under_way, 1);
			return true;
		}
	return false;
}

static void drop(struct dispatcher *d, struct post *post)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (d->posts[i] == post) {
			d->posts[i] = NULL;
			atomic_fetch_sub(&d->under_way, 1);
		}
	curl_multi_remove_handle(d->multi, post->curl);
	post_free(post);
}

/* --- what came of it */

static int64_t wait_ms(const struct dispatcher *d, const struct post *post,
                       const struct post_result *result)
{
	int64_t asked = result->retry_after_ms, own;
	uint32_t dice;

	if (strcmp(result->outcome, "gone") == 0 || strcmp(result->outcome, "interrupted") == 0)
		return 0;
	random_bytes((uint8_t *)&dice, sizeof dice);
	own = backoff_ms(post->failed + 1, d->config.retry_ms, dice);
	return asked > own ? asked : own;
}

/* What is not written down is delivered again when its lease is over: once more, never not at all.
 */
static void record(struct dispatcher *d, const struct post *post, struct post_result result)
{
	problem_auto p = { 0 };
	db_tx_auto *tx = NULL;
	db_rows_auto *rows = NULL;
	char status[12], took[24], retry[24], give_up[24];

	snprintf(status, sizeof status, "%ld", result.status);
	snprintf(took, sizeof took, "%lld", (long long)result.took_ms);
	snprintf(retry, sizeof retry, "%lld", (long long)wait_ms(d, post, &result));
	snprintf(give_up, sizeof give_up, "%u", d->config.give_up_s);
	if (!db_begin(d->pool, &nobody, DB_READ_NOTED, false, &tx, &p) ||
	    !db_last(tx,
	             Q_WEBHOOK_FINISH(post->delivery_id, post->attempt, result.outcome,
	                              result.status ? status : NULL, took, retry, give_up),
	             &rows, &p))
		log_event(LOG_WARNING, "webhook_not_recorded", "delivery", post->delivery_id,
		          "problem", problem_kind(p.code)->slug, NULL);
}

static void finish(struct dispatcher *d, struct post *post, CURLcode code)
{
	struct post_result result = post_result(post, code);
	bool good = strcmp(result.outcome, "delivered") == 0;

	atomic_fetch_add(good ? &d->delivered : &d->failed, 1);
	if (!good)
		log_event(LOG_INFO, "webhook_attempt_failed", "delivery", post->delivery_id,
		          "attempt", post->attempt, "outcome", result.outcome, NULL);
	record(d, post, result);
	drop(d, post);
	d->look_at_us = 0; /* a place is free, and the next of its queue may be due */
}

static void collect(struct dispatcher *d)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(d->multi, &left))) {
		void *post = NULL;

		if (message->msg == CURLMSG_DONE &&
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &post) == CURLE_OK)
			finish(d, post, message->data.result);
	}
}

/* --- what is due */

static unsigned failed_before(const char *round)
{
	uint64_t number = 1;

	return text_number(round, 1, 1000000, &number) ? (unsigned)number - 1 : 0;
}

/* A message that cannot be sent for want of memory stays taken until its lease is over. */
static void send_off(struct dispatcher *d, const struct db_rows *rows, size_t row)
{
	const struct message message = {
		.delivery_id = db_text(rows, row, "delivery_id"),
		.attempt = db_text(rows, row, "attempt"),
		.url = db_text(rows, row, "url"),
		.message_id = db_text(rows, row, "message_id"),
		.body = db_text(rows, row, "body"),
		.secret = db_text(rows, row, "secret"),
		.previous = db_text(rows, row, "previous"),
		.failed = failed_before(db_text(rows, row, "round")),
	};
	struct post *post = post_new(&message, &d->post);

	if (!post)
		return;
	if (!place(d, post))
		post_free(post);
	else if (curl_multi_add_handle(d->multi, post->curl) != CURLM_OK)
		drop(d, post);
}

static void tell_blindness(struct dispatcher *d, bool blind, const struct problem *p)
{
	if (blind && !d->blind)
		log_event(LOG_WARNING, "outbox_unreachable", "problem", problem_kind(p->code)->slug,
		          NULL);
	if (!blind && d->blind)
		log_event(LOG_INFO, "outbox_reachable", NULL);
	d->blind = blind;
}

static void look(struct dispatcher *d)
{
	problem_auto p = { 0 };
	db_tx_auto *tx = NULL;
	db_rows_auto *rows = NULL;
	char at_once[12], of_each[12], lease[24];
	bool good;

	snprintf(at_once, sizeof at_once, "%u", AT_ONCE - atomic_load(&d->under_way));
	snprintf(of_each, sizeof of_each, "%d", OF_EACH);
	snprintf(lease, sizeof lease, "%u", 2 * d->config.timeout_ms + 1000);
	d->look_at_us = clock_monotonic_us() + (int64_t)d->config.poll_ms * 1000;
	good = db_begin(d->pool, &nobody, DB_READ_NOTED, false, &tx, &p) &&
	       db_last(tx, Q_WEBHOOK_CLAIM(at_once, of_each, lease), &rows, &p);
	tell_blindness(d, !good, &p);
	if (!good)
		return;
	for (size_t row = 0; row < db_count(rows); row++)
		send_off(d, rows, row);
}

/* --- the thread */

static void turn(struct dispatcher *d)
{
	int64_t rest_ms = (d->look_at_us - clock_monotonic_us()) / 1000;
	int running;

	curl_multi_perform(d->multi, &running);
	collect(d);
	if (d->look_at_us > 0 && rest_ms > 0)
		curl_multi_poll(d->multi, NULL, 0, (int)(rest_ms < 1000 ? rest_ms : 1000), NULL);
}

static void give_back(struct dispatcher *d)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (d->posts[i])
			finish(d, d->posts[i], CURLE_ABORTED_BY_CALLBACK);
}

static void *run(void *context)
{
	struct dispatcher *d = context;
	int64_t end_us;

	while (!atomic_load(&d->ending)) {
		if (clock_monotonic_us() >= d->look_at_us)
			look(d);
		turn(d);
	}
	end_us = clock_monotonic_us() + (int64_t)STOP_MS * 1000;
	while (atomic_load(&d->under_way) > 0 && clock_monotonic_us() < end_us) {
		d->look_at_us = clock_monotonic_us() + 20000;
		turn(d);
	}
	give_back(d);
	return NULL;
}

static void dispatcher_free(struct dispatcher *d)
{
	if (d->multi)
		curl_multi_cleanup(d->multi);
	free(d);
	curl_global_cleanup();
}

bool dispatcher_start(const struct dispatcher_config *config, struct db_pool *pool,
                      struct dispatcher **ret_dispatcher, struct problem *p)
{
	struct dispatcher *d = calloc(1, sizeof *d);

	if (!d || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(d);
		return problem(p, PROBLEM_UNAVAILABLE, "no memory for the webhooks");
	}
	d->config = *config;
	d->post =
		(struct post_config){ config->timeout_ms, config->allow_private, config->ca_file };
	d->pool = pool;
	d->multi = curl_multi_init();
	if (!d->multi || pthread_create(&d->thread, NULL, run, d) != 0) {
		dispatcher_free(d);
		return problem(p, PROBLEM_UNAVAILABLE, "no thread for the webhooks");
	}
	*ret_dispatcher = d;
	return true;
}

void dispatcher_stop(struct dispatcher *dispatcher)
{
	if (!dispatcher)
		return;
	atomic_store(&dispatcher->ending, true);
	curl_multi_wakeup(dispatcher->multi);
	pthread_join(dispatcher->thread, NULL);
	dispatcher_free(dispatcher);
}

struct dispatcher_state dispatcher_state(const struct dispatcher *dispatcher)
{
	return (struct dispatcher_state){
		.delivered = atomic_load(&dispatcher->delivered),
		.failed = atomic_load(&dispatcher->failed),
		.under_way = atomic_load(&dispatcher->under_way),
	};
}
