/* What webhooks were told, and telling it once more. */
#include <string.h>

#include "call/call.h"
#include "modules.h"
#include "queries.h"

static const char no_such_webhook[] = "no webhook of yours has this id";

static bool list_webhook_deliveries(struct call *c)
{
	return call_list_of(c,
	                    Q_WEBHOOK_DELIVERIES(call_path(c, "webhook_id"), call_query(c, "limit"),
	                                         call_query(c, "cursor"), call_query(c, "state")),
	                    no_such_webhook);
}

static bool replay_webhook(struct call *c)
{
	return call_answer(c, Q_WEBHOOK_REPLAY(call_path(c, "webhook_id"), call_body(c)),
	                   no_such_webhook);
}

static bool replay_webhook_delivery(struct call *c)
{
	const char *id = call_path(c, "delivery_id");
	db_rows_auto *held = NULL;

	if (!db_run(c->tx, Q_WEBHOOK_DELIVERY_LOCK(call_path(c, "webhook_id"), id), &held,
	            &c->problem))
		return false;
	if (db_count(held) == 0)
		return problem(&c->problem, PROBLEM_NOT_FOUND,
		               "no delivery of this webhook has this id");
	if (strcmp(db_text(held, 0, "state"), "pending") == 0) {
		problem(&c->problem, PROBLEM_STATE_CONFLICT, "it waits to be delivered already");
		problem_member(&c->problem, "state", json_string("pending"));
		return false;
	}
	return db_queue(c->tx, Q_WEBHOOK_DELIVERY_REPLAY(id), &c->problem) &&
	       call_answer(c, Q_WEBHOOK_DELIVERY_BY_ID(id), NULL);
}

static const struct operation webhook_deliveries[] = {
	{ "listWebhookDeliveries", list_webhook_deliveries },
	{ "replayWebhook", replay_webhook },
	{ "replayWebhookDelivery", replay_webhook_delivery },
};
MODULE(webhook_deliveries);
