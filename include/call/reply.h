/* The good answer of a call: status, body, and the headers that belong to it. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/* CARERS_BASE_URL has 255 bytes at most, and the longest path less than 256. */
enum { REPLY_ETAG = 32, REPLY_LOCATION = 512, REPLY_FILENAME = 64 };

struct reply {
	int status;
	const char *media; /* static text */
	char *body;        /* owned; NULL: none */
	const char *still; /* instead: text that lives as long as the program */
	size_t size;
	char etag[REPLY_ETAG];         /* "" : none; with its quotes */
	char location[REPLY_LOCATION]; /* "" : none */
	char *link;                    /* owned; the value of Link, or NULL */
	const char *preference;        /* static text: the value of Preference-Applied, or NULL */
	char filename[REPLY_FILENAME]; /* "" : none; the body is a file to be saved, not shown */
	const char *policy;            /* Content-Security-Policy of a page; static text, or NULL */
	bool replayed;                 /* the first answer to this Idempotency-Key, given again */
};

void reply_done(struct reply *reply);

struct call;
struct db_rows;
struct page;

/*
 * Answers with the first row's column `body`, and `version` (if there is one) as the ETag. A read
 * whose If-None-Match has that ETag is answered 304 without the body.
 */
must_check bool call_reply(struct call *c, int status, const struct db_rows *rows);
/* Takes the rows' `version` as the ETag; true: a read asked with it in If-None-Match, and is
 * answered 304. */
bool call_unchanged(struct call *c, const struct db_rows *rows);
/* 201 with Location: the path of the request and the new id. */
must_check bool call_created(struct call *c, const char *id, const struct db_rows *rows);
/* The same for what is read elsewhere than below the path of the request: at `path` and the new id.
 */
must_check bool call_created_at(struct call *c, const char *path, const char *id,
                                const struct db_rows *rows);
/* 202: it waits for somebody or something, and is looked after at `path` and the new id. */
must_check bool call_accepted_at(struct call *c, const char *path, const char *id,
                                 const struct db_rows *rows);
/* Of a PUT, by the row's column `created`: 201 with the path itself as Location, or 200. */
must_check bool call_put(struct call *c, const struct db_rows *rows);
/* 200 with a page; its column `next_cursor`, or `next_after`, if not NULL, becomes the Link to the
 * next page (on a GET). */
must_check bool call_page(struct call *c, const struct db_rows *rows);
/* 204: done, and nothing to show. */
must_check bool call_nothing(struct call *c);
/*
 * Answers with a file: the rows' column `piece`, one behind the other, `size` bytes together. To be
 * asked for in binary form.
 */
must_check bool call_file(struct call *c, const char *media, size_t size,
                          const struct db_rows *pieces);
/* Answers with a JSON document of ours, or text of another kind. */
must_check bool call_json(struct call *c, int status, const json_t *json);
must_check bool call_text(struct call *c, int status, const char *media, const char *text,
                          size_t size);
/* 200 with a text that has a version, its ETag; 304 when If-None-Match has it. */
must_check bool call_versioned(struct call *c, const char *media, const struct page *page);
/* The same for what a browser shows: nothing of it may come from elsewhere. */
must_check bool call_page_file(struct call *c, const char *media, const struct page *page);
