/* ETags (RFC 9110, 8.8 and 13): an ETag of ours is the resource's version, as in "v7". */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "call/reply.h"

/* How the ETag of a reply ends that was sent as gzip: "v7.gzip". It is taken for "v7". */
#define ETAG_GZIP ".gzip\""

void etag_of(const char *version, char ret_etag[static REPLY_ETAG]);
/* If-None-Match: `*` or a list that has the ETag, weak or not. NULL: false. */
bool etag_listed(const char *header, const char *etag);
/*
 * If-Match as PostgreSQL's triggers take it: the versions, comma-separated, that the target must
 * have one of; "" without the header, "*" for any version, "-1" when nothing in it is an ETag of
 * ours (weak ones never match).
 */
enum { MATCH_TEXT = 256 };
void match_versions(const char *header, char ret_versions[static MATCH_TEXT]);
