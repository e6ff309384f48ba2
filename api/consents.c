/* Consents: what a carer has said to each purpose. */
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool create_consent(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_last(c->tx, Q_CONSENT_RECORD(id, call_path(c, "carer_id"), call_body(c)), &rows,
	               &c->problem) &&
	       call_created(c, id, rows);
}

static bool list_consents(struct call *c)
{
	return call_list_of(c,
	                    Q_CONSENTS_OF_CARER(call_path(c, "carer_id"), call_query(c, "limit"),
	                                        call_query(c, "cursor"), call_query(c, "purpose"),
	                                        call_query(c, "state")),
	                    "no carer has this id");
}

static bool answer_consent(struct call *c, struct db_call query)
{
	return call_answer(c, query, "no consent of this carer has this id");
}

static bool get_consent(struct call *c)
{
	return answer_consent(c,
	                      Q_CONSENT_READ(call_path(c, "carer_id"), call_path(c, "consent_id")));
}

static bool withdraw_consent(struct call *c)
{
	return answer_consent(c, Q_CONSENT_WITHDRAW(call_path(c, "carer_id"),
	                                            call_path(c, "consent_id"), call_body(c)));
}

static const struct operation consents[] = {
	{ "createConsent", create_consent },
	{ "listConsents", list_consents },
	{ "getConsent", get_consent },
	{ "withdrawConsent", withdraw_consent },
};
MODULE(consents);
