/* Imports over HTTP: asked for, and looked after; a thread of the service does them. Rule D5. */
#include "base/text.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool start_import(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_IMPORT_INSERT(id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_IMPORT_BY_ID(id), &rows, &c->problem) &&
	       call_accepted_at(c, "/v1/imports", id, rows);
}

static bool get_import(struct call *c)
{
	return call_answer(c, Q_IMPORT_BY_ID(call_path(c, "import_id")), "no import has this id");
}

static bool list_imports(struct call *c)
{
	return call_list(c, Q_IMPORTS(call_query(c, "limit"), call_query(c, "cursor")));
}

static const struct operation imports[] = {
	{ "startImport", start_import },
	{ "getImport", get_import },
	{ "listImports", list_imports },
};
MODULE(imports);
