/* The good answer of a call. */
#include "call/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "call/call.h"
#include "call/pages.h"
#include "call/precondition.h"

static const char json_media[] = "application/json";
/* Scripts, styles and calls of this service only; nothing inline, no eval; in no frame. `data:`:
 * the viewer's own arrows. */
static const char page_policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void reply_done(struct reply *reply)
{
	free(reply->body);
	free(reply->link);
	*reply = (struct reply){ 0 };
}

static bool no_memory(struct call *c)
{
	return problem(&c->problem, PROBLEM_UNAVAILABLE, "the service has no memory to spare");
}

bool call_text(struct call *c, int status, const char *media, const char *text, size_t size)
{
	c->reply.body = text_copy_n(text, size);
	if (!c->reply.body)
		return no_memory(c);
	c->reply.size = size;
	c->reply.status = status;
	c->reply.media = media;
	return true;
}

bool call_json(struct call *c, int status, const json_t *json)
{
	text_auto *text = json ? json_print(json) : NULL;

	return text ? call_text(c, status, json_media, text, strlen(text)) : no_memory(c);
}

bool call_file(struct call *c, const char *media, size_t size, const struct db_rows *pieces)
{
	size_t have = 0;

	c->reply.body = malloc(size + 1);
	if (!c->reply.body)
		return no_memory(c);
	for (size_t i = 0; i < db_count(pieces); i++) {
		size_t more = db_size(pieces, i, "piece");

		if (more > size - have)
			return problem(&c->problem, PROBLEM_INTERNAL,
			               "the file is larger than its record says");
		memcpy(c->reply.body + have, db_text(pieces, i, "piece"), more);
		have += more;
	}
	c->reply.size = have;
	c->reply.status = 200;
	c->reply.media = media;
	return have == size ||
	       problem(&c->problem, PROBLEM_INTERNAL, "the file is smaller than its record says");
}

bool call_versioned(struct call *c, const char *media, const struct page *page)
{
	etag_of(page->version, c->reply.etag);
	c->reply.status = 304;
	if (etag_listed(call_header(c, "If-None-Match"), c->reply.etag))
		return true;
	c->reply.status = 200;
	c->reply.media = media;
	c->reply.still = page->text;
	c->reply.size = page->size;
	return true;
}

bool call_page_file(struct call *c, const char *media, const struct page *page)
{
	c->reply.policy = page_policy;
	return call_versioned(c, media, page);
}

bool call_nothing(struct call *c)
{
	c->reply.status = 204;
	return true;
}

bool call_unchanged(struct call *c, const struct db_rows *rows)
{
	const char *version = db_text(rows, 0, "version");

	if (version)
		etag_of(version, c->reply.etag);
	if (!version || !c->endpoint->reads ||
	    !etag_listed(call_header(c, "If-None-Match"), c->reply.etag))
		return false;
	c->reply.status = 304;
	return true;
}

bool call_reply(struct call *c, int status, const struct db_rows *rows)
{
	const char *body = db_text(rows, 0, "body");

	if (call_unchanged(c, rows))
		return true;
	if (!body)
		return problem(&c->problem, PROBLEM_INTERNAL,
		               "the query has no body to answer with");
	return call_text(c, status, json_media, body, db_size(rows, 0, "body"));
}

/* The path of the request, and below it the new id ("" when the path names the new resource). */
static bool reply_created(struct call *c, const char *slash, const char *id,
                          const struct db_rows *rows)
{
	size_t path = strcspn(c->target_text, "?");

	snprintf(c->reply.location, sizeof c->reply.location, "%s%.*s%s%s", c->service->base_url,
	         (int)path, c->target_text, slash, id);
	return call_reply(c, 201, rows);
}

bool call_created(struct call *c, const char *id, const struct db_rows *rows)
{
	return reply_created(c, "/", id, rows);
}

static bool reply_at(struct call *c, int status, const char *path, const char *id,
                     const struct db_rows *rows)
{
	snprintf(c->reply.location, sizeof c->reply.location, "%s%s/%s", c->service->base_url, path,
	         id);
	return call_reply(c, status, rows);
}

bool call_created_at(struct call *c, const char *path, const char *id, const struct db_rows *rows)
{
	return reply_at(c, 201, path, id, rows);
}

bool call_accepted_at(struct call *c, const char *path, const char *id, const struct db_rows *rows)
{
	return reply_at(c, 202, path, id, rows);
}

bool call_put(struct call *c, const struct db_rows *rows)
{
	const char *created = db_text(rows, 0, "created");

	return created && *created == 't' ? reply_created(c, "", "", rows)
	                                  : call_reply(c, 200, rows);
}

/* One pair of the next page's query, percent-encoded by its own escape. */
static bool add_pair(struct buf *link, const char *name, const char *value)
{
	bool good = buf_addf(link, "%s=", name);

	for (const char *v = value; *v && good; v++) {
		bool plain = (*v >= '0' && *v <= '9') || (*v >= 'a' && *v <= 'z') ||
		             (*v >= 'A' && *v <= 'Z') || strchr("-_.~", *v);

		good = plain ? buf_add_bytes(link, v, 1)
		             : buf_addf(link, "%%%02X", (unsigned char)*v);
	}
	return good && buf_add(link, "&");
}

/* Where the next page begins: a column of the query, and the parameter that takes it. */
static const struct follow {
	const char *column, *parameter;
} follows[] = { { "next_cursor", "cursor" }, { "next_after", "after" } };

/* The same query with the new beginning at its end. */
static bool add_next(struct call *c, struct buf *link, const char *parameter, const char *value)
{
	size_t path = strcspn(c->target_text, "?");
	bool good = buf_addf(link, "<%s%.*s?", c->service->base_url, (int)path, c->target_text);

	for (size_t i = 0; i < c->url.pair_count && good; i++)
		if (strcmp(c->url.pairs[i].name, parameter) != 0)
			good = add_pair(link, c->url.pairs[i].name, c->url.pairs[i].value);
	return good && buf_addf(link, "%s=%s>; rel=\"next\"", parameter, value);
}

bool call_page(struct call *c, const struct db_rows *rows)
{
	for (size_t i = 0; i < COUNT_OF(follows); i++) {
		const char *value = db_text(rows, 0, follows[i].column);
		buf_auto link = { .limit = 16 * KIB };

		if (!value || c->endpoint->method != METHOD_GET)
			continue;
		if (!add_next(c, &link, follows[i].parameter, value))
			return problem(&c->problem, PROBLEM_INTERNAL,
			               "the link to the next page is too long");
		c->reply.link = buf_take(&link);
	}
	return call_reply(c, 200, rows);
}
