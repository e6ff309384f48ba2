/* Webhooks of councils and organisations: made, changed, held back, asked for a sign of life. */
#include "webhook/url.h"

#include "base/json.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static const char no_such_webhook[] = "no webhook of yours has this id";

static bool url_is_good(struct call *c)
{
	const char *url = json_text(c->body, "url");

	return !url || webhook_url_allowed(url, c->service->webhook_allow_private, &c->problem);
}

static bool list_webhooks(struct call *c)
{
	return call_list(c, Q_WEBHOOKS_PAGE(call_query(c, "limit"), call_query(c, "cursor")));
}

static bool create_webhook(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	if (!url_is_good(c))
		return false;
	uuid_make(id);
	return db_queue(c->tx, Q_WEBHOOK_INSERT(id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_WEBHOOK_WITH_SECRET(id), &rows, &c->problem) &&
	       call_created(c, id, rows);
}

static bool get_webhook(struct call *c)
{
	return call_answer(c, Q_WEBHOOK_BY_ID(call_path(c, "webhook_id")), no_such_webhook);
}

static bool update_webhook(struct call *c)
{
	if (!url_is_good(c))
		return false;
	return db_queue(c->tx, Q_WEBHOOK_PATCH(call_path(c, "webhook_id"), call_body(c)),
	                &c->problem) &&
	       get_webhook(c);
}

static bool delete_webhook(struct call *c)
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx, Q_WEBHOOK_DELETE(call_path(c, "webhook_id")), &rows, &c->problem))
		return false;
	return db_count(rows) ? call_nothing(c)
	                      : problem(&c->problem, PROBLEM_NOT_FOUND, "%s", no_such_webhook);
}

static bool pause_webhook(struct call *c)
{
	return db_queue(c->tx, Q_WEBHOOK_MOVE(call_path(c, "webhook_id"), "paused"), &c->problem) &&
	       get_webhook(c);
}

static bool resume_webhook(struct call *c)
{
	return db_queue(c->tx, Q_WEBHOOK_MOVE(call_path(c, "webhook_id"), "active"), &c->problem) &&
	       get_webhook(c);
}

static bool ping_webhook(struct call *c)
{
	return db_queue(c->tx, Q_WEBHOOK_PING(call_path(c, "webhook_id")), &c->problem) &&
	       get_webhook(c);
}

static bool rotate_webhook_secret(struct call *c)
{
	const char *id = call_path(c, "webhook_id");

	return db_queue(c->tx, Q_WEBHOOK_ROTATE(id), &c->problem) &&
	       call_answer(c, Q_WEBHOOK_WITH_SECRET(id), no_such_webhook);
}

static const struct operation webhooks[] = {
	{ "listWebhooks", list_webhooks },
	{ "createWebhook", create_webhook },
	{ "getWebhook", get_webhook },
	{ "updateWebhook", update_webhook },
	{ "deleteWebhook", delete_webhook },
	{ "pauseWebhook", pause_webhook },
	{ "resumeWebhook", resume_webhook },
	{ "pingWebhook", ping_webhook },
	{ "rotateWebhookSecret", rotate_webhook_secret },
};
MODULE(webhooks);
