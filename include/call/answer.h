/* What most handlers end with: the last query of the call, and its rows as the answer. */
#pragma once

#include "base/attr.h"
#include "db/query.h"

struct call;

/* 200 with the row, see call_reply. Without a row 404 with the sentence `missing`; NULL: there
 * always is one. */
must_check bool call_answer(struct call *c, struct db_call query, const char *missing);
/* 200 with the page, see call_page. */
must_check bool call_list(struct call *c, struct db_call query);
/* The same of something that may not be there: without a row 404 with the sentence `missing`. */
must_check bool call_list_of(struct call *c, struct db_call query, const char *missing);
