/* Proposals of listed organisations, and the one-time links by which they confirm an entry. */
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/openings.h"

enum { DAY_SECONDS = 86400 };

static bool reply_proposal(struct call *c)
{
	return call_answer(c, Q_PROPOSAL_BY_ID(call_path(c, "proposal_id")),
	                   "no proposal has this id");
}

static bool list_proposals(struct call *c)
{
	return call_list(c, Q_PROPOSALS(call_query(c, "limit"), call_query(c, "cursor"),
	                                call_query(c, "state"), call_query(c, "service_id")));
}

static bool decide(struct call *c, const char *decision)
{
	return db_queue(c->tx,
	                Q_PROPOSAL_DECIDE(call_path(c, "proposal_id"), decision,
	                                  json_text(c->body, "reason")),
	                &c->problem) &&
	       reply_proposal(c);
}

static bool approve_proposal(struct call *c) { return decide(c, "approved"); }
static bool reject_proposal(struct call *c) { return decide(c, "rejected"); }

static bool create_refresh_link(struct call *c)
{
	json_auto_t *days = json_incref(json_object_get(c->body, "days"));
	text_auto *count = days ? json_dumps(days, JSON_ENCODE_ANY) : text_copy("14");

	return call_answer(c, Q_LINK_MAKE(call_path(c, "service_id"), count), NULL);
}

static bool read_refresh_link(struct call *c)
{
	return call_answer(c, Q_LINK_READ(call_path(c, "token")), NULL);
}

static bool answer_refresh_link(struct call *c)
{
	const json_t *changes = json_object_get(c->body, "changes");
	char id[UUID_TEXT];
	text_auto *hours = NULL;

	uuid_make(id);
	return openings_of(json_object_get(changes, "schedule"),
	                   (int32_t)(clock_seconds() / DAY_SECONDS), &hours, &c->problem) &&
	       call_answer(c, Q_LINK_ANSWER(call_path(c, "token"), call_body(c), hours, id), NULL);
}

static const struct operation directory_proposals[] = {
	{ "listProposals", list_proposals },          { "getProposal", reply_proposal },
	{ "approveProposal", approve_proposal },      { "rejectProposal", reject_proposal },
	{ "createRefreshLink", create_refresh_link }, { "readRefreshLink", read_refresh_link },
	{ "answerRefreshLink", answer_refresh_link },
};
MODULE(directory_proposals);
