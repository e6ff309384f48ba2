/*
 * The thread that tells webhooks: it takes what is due from the outbox and hands it to receivers,
 * many at once. Several replicas do so beside each other; what one that dies had taken, the next
 * takes when its time is over.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/problem.h"

struct db_pool;
struct dispatcher;

struct dispatcher_config {
	unsigned poll_ms;    /* how often the outbox is looked at when it was empty */
	unsigned timeout_ms; /* of one attempt */
	unsigned retry_ms;   /* until the second attempt; longer each time */
	unsigned give_up_s;  /* after the first attempt */
	bool allow_private;  /* http, and private addresses: for development */
	const char *ca_file; /* "": the system's; borrowed */
};

struct dispatcher_state {
	uint64_t delivered, failed; /* attempts since the start */
	unsigned under_way;
};

must_check bool dispatcher_start(const struct dispatcher_config *config, struct db_pool *pool,
                                 struct dispatcher **ret_dispatcher, struct problem *p);
/* Takes nothing more, waits a moment for what is under way, and gives back what is not over. Takes
 * NULL. */
void dispatcher_stop(struct dispatcher *dispatcher);
struct dispatcher_state dispatcher_state(const struct dispatcher *dispatcher);
