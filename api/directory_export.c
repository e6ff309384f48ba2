/* The published directory as a file that can be imported again. Rule D5. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool answer(struct call *c, struct db_call query, const char *media)
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx, query, &rows, &c->problem) || !call_page(c, rows))
		return false;
	c->reply.media = media;
	return true;
}

static bool export_ndjson(struct call *c)
{
	return answer(c, Q_DIRECTORY_NDJSON(call_query(c, "limit"), call_query(c, "after")),
	              "application/x-ndjson");
}

static bool export_csv(struct call *c)
{
	return answer(c, Q_DIRECTORY_CSV(call_query(c, "limit"), call_query(c, "after")),
	              "text/csv; charset=utf-8; header=present");
}

static const struct operation directory_export[] = {
	{ "exportDirectoryNdjson", export_ndjson },
	{ "exportDirectoryCsv", export_csv },
};
MODULE(directory_export);
