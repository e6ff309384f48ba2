/* Instruments, and the library of I-statements: what is asked in an assessment. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool list_instruments(struct call *c)
{
	return call_list(c, Q_INSTRUMENTS_OF(call_query(c, "council")));
}

static bool get_instrument(struct call *c)
{
	return call_answer(c,
	                   Q_INSTRUMENT_BY_KEY(call_query(c, "council"), call_path(c, "instrument"),
	                                       call_query(c, "version")),
	                   "no instrument has this name");
}

static bool put_instrument(struct call *c)
{
	const char *council = call_query(c, "council"), *key = call_path(c, "instrument");
	db_rows_auto *rows = NULL;

	return db_queue(c->tx, Q_INSTRUMENT_PUT(council, key, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_INSTRUMENT_NOW(council, key), &rows, &c->problem) &&
	       call_put(c, rows);
}

static bool list_i_statements(struct call *c)
{
	return call_list(c, Q_I_STATEMENTS_OF(call_query(c, "council")));
}

static bool get_i_statement(struct call *c)
{
	return call_answer(c, Q_I_STATEMENT_BY_CODE(call_query(c, "council"), call_path(c, "code")),
	                   "no statement of the library has this code");
}

static bool put_i_statement(struct call *c)
{
	const char *council = call_query(c, "council"), *code = call_path(c, "code");
	db_rows_auto *rows = NULL;

	return db_queue(c->tx, Q_I_STATEMENT_PUT(council, code, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_I_STATEMENT_NOW(council, code), &rows, &c->problem) &&
	       call_put(c, rows);
}

static const struct operation instruments[] = {
	{ "listInstruments", list_instruments }, { "getInstrument", get_instrument },
	{ "putInstrument", put_instrument },     { "listIStatements", list_i_statements },
	{ "getIStatement", get_i_statement },    { "putIStatement", put_i_statement },
};
MODULE(instruments);
