/* Contracts for breaks: hours that a council has bought of a provider, and what of them is used. */
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool create_contract(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_BREAK_CONTRACT_INSERT(id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_BREAK_CONTRACT_BY_ID(id), &rows, &c->problem) &&
	       call_created(c, id, rows);
}

static bool get_contract(struct call *c)
{
	return call_answer(c, Q_BREAK_CONTRACT_BY_ID(call_path(c, "contract_id")),
	                   "no contract has this id");
}

static bool list_contracts(struct call *c)
{
	return call_list(c,
	                 Q_BREAK_CONTRACTS(call_query(c, "limit"), call_query(c, "cursor"),
	                                   call_query(c, "updated_since"), call_query(c, "council"),
	                                   call_query(c, "provider_organisation_id"),
	                                   call_query(c, "on")));
}

static const struct operation break_contracts[] = {
	{ "createContract", create_contract },
	{ "listContracts", list_contracts },
	{ "getContract", get_contract },
};
MODULE(break_contracts);
