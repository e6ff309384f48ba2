/* Leaflets of the directory, and their files. */
#include <stdio.h>

#include "base/text.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/pdf.h"

static bool reply_leaflet(struct call *c)
{
	return call_answer(c, Q_LEAFLET_BY_ID(call_path(c, "leaflet_id")),
	                   "no leaflet has this id");
}

static bool create_leaflet(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_LEAFLET_INSERT(id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_LEAFLET_BY_ID(id), &rows, &c->problem) && call_created(c, id, rows);
}

static bool list_leaflets(struct call *c)
{
	return call_list(c, Q_LEAFLETS(call_query(c, "limit"), call_query(c, "cursor"),
	                               call_query(c, "council"), call_query(c, "support_area"),
	                               call_query(c, "language"), call_query(c, "service_id"),
	                               call_query(c, "expired")));
}

static bool update_leaflet(struct call *c)
{
	return db_queue(c->tx, Q_LEAFLET_PATCH(call_path(c, "leaflet_id"), call_body(c)),
	                &c->problem) &&
	       reply_leaflet(c);
}

static bool archive_leaflet(struct call *c)
{
	return db_queue(c->tx, Q_LEAFLET_ARCHIVE(call_path(c, "leaflet_id")), &c->problem) &&
	       reply_leaflet(c);
}

/* Rule D7. */
static bool check_pdf(struct call *c)
{
	const char *why = pdf_fault(c->bytes, c->byte_count);
	const char *name = why ? NULL : pdf_active(c->bytes, c->byte_count);

	if (why)
		return problem(&c->problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
		               "the bytes are no PDF: %s", why);
	if (!name)
		return true;
	problem_member(&c->problem, "rule", json_string("D7"));
	return problem(&c->problem, PROBLEM_RULE_VIOLATED,
	               "the PDF has %s: a leaflet runs nothing, starts nothing and carries no "
	               "other file",
	               name);
}

static bool put_file(struct call *c)
{
	const int sizes[] = { 0, (int)c->byte_count };
	struct db_call put = Q_LEAFLET_FILE_PUT(call_path(c, "leaflet_id"), c->bytes);

	put.sizes = sizes;
	return check_pdf(c) && db_queue(c->tx, put, &c->problem) && reply_leaflet(c);
}

static bool no_file(struct call *c)
{
	return problem(&c->problem, PROBLEM_NOT_FOUND, "no leaflet has a file here");
}

/* The bytes only when they are wanted, and then with the version and size of their own moment. */
static bool get_file(struct call *c)
{
	const char *id = call_path(c, "leaflet_id");
	struct db_call read = Q_LEAFLET_FILE_PIECES(id);
	db_rows_auto *about = NULL, *pieces = NULL;
	uint64_t size;

	read.binary = true;
	if (!db_run(c->tx, Q_LEAFLET_FILE(id), &about, &c->problem))
		return false;
	if (db_count(about) == 0)
		return no_file(c);
	if (call_unchanged(c, about))
		return true;
	if (!db_last(c->tx, read, &pieces, &c->problem))
		return false;
	if (db_count(pieces) == 0 || !text_number(db_text(pieces, 0, "size"), 1, INT32_MAX, &size))
		return no_file(c);
	snprintf(c->reply.filename, sizeof c->reply.filename, "leaflet-%s.pdf", id);
	return call_unchanged(c, pieces) || call_file(c, "application/pdf", size, pieces);
}

static bool delete_file(struct call *c)
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx, Q_LEAFLET_FILE_DELETE(call_path(c, "leaflet_id")), &rows, &c->problem))
		return false;
	return db_count(rows) ? call_nothing(c) : no_file(c);
}

static const struct operation directory_leaflets[] = {
	{ "createLeaflet", create_leaflet },   { "getLeaflet", reply_leaflet },
	{ "listLeaflets", list_leaflets },     { "updateLeaflet", update_leaflet },
	{ "archiveLeaflet", archive_leaflet }, { "putLeafletFile", put_file },
	{ "getLeafletFile", get_file },        { "deleteLeafletFile", delete_file },
};
MODULE(directory_leaflets);
