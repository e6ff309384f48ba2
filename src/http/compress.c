/* Replies on the wire: gzip for who reads it, when it is worth it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "call/precondition.h"
#include "http/exchange_own.h"

enum {
	LEAST = 1024, /* bytes: below, the headers weigh more than what is saved */
	MOST = 64 * 1024 * 1024,
	LEVEL = 4,             /* most of the gain for a third of the time of zlib's usual 6 */
	GZIP_WINDOW = 15 + 16, /* zlib's way of saying: in gzip's frame */
	MEMORY = 8
};

/* A file is of a kind that is compressed in itself. */
static bool worth_it(const struct response *r)
{
	return response_text(r) && r->size >= LEAST && r->size <= MOST &&
	       !response_has(r, "Content-Encoding") && !response_has(r, "Content-Disposition");
}

/* Into room that is smaller than the body: false also when it does not become smaller. */
static bool deflate_all(const struct response *r, char *room, size_t *ret_size)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)response_text(r),
		       .avail_in = (unsigned)r->size,
		       .next_out = (unsigned char *)room,
		       .avail_out = (unsigned)r->size - 1 };
	bool whole;

	if (deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	whole = deflate(&z, Z_FINISH) == Z_STREAM_END;
	*ret_size = z.total_out;
	deflateEnd(&z);
	return whole;
}

/* Two codings of one version are two representations: "v7" becomes "v7.gzip" (RFC 9110, 8.8.3.3).
 */
static void mark_etag(struct response *r)
{
	for (size_t i = 0; i < r->header_count; i++) {
		char *marked;

		if (strcmp(r->headers[i].name, "ETag") != 0)
			continue;
		if (asprintf(&marked, "%.*s" ETAG_GZIP, (int)strlen(r->headers[i].value) - 1,
		             r->headers[i].value) < 0)
			return;
		free(r->headers[i].value);
		r->headers[i].value = marked;
	}
}

void compress_response(struct exchange *x)
{
	struct response *r = x->response;
	char *room;
	size_t size;

	x->codable = worth_it(r);
	if (!x->codable || !accept_encodes(request_header(x->request, "Accept-Encoding"), "gzip"))
		return;
	room = malloc(r->size);
	if (!room || !deflate_all(r, room, &size)) {
		free(room);
		return;
	}
	free(r->body);
	r->body = room;
	r->still = NULL;
	r->size = size;
	response_header(r, "Content-Encoding", "gzip");
	mark_etag(r);
}
