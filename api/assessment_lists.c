/* Lists of assessments: a carer's, a council's, an organisation's. */
#include <string.h>

#include "call/call.h"
#include "modules.h"
#include "queries.h"

/* The arguments of a list, read once: a query takes those that it knows. */
struct filters {
	const char *limit, *cursor, *since, *council, *kind, *state, *due_before, *overdue;
};

static struct filters filters_of(const struct call *c)
{
	return (struct filters){
		.limit = call_query(c, "limit"),
		.cursor = call_query(c, "cursor"),
		.since = call_query(c, "updated_since"),
		.council = call_query(c, "council"),
		.kind = call_query(c, "kind"),
		.state = call_query(c, "state"),
		.due_before = call_query(c, "review_due_before"),
		.overdue = call_query(c, "review_overdue"),
	};
}

static bool list_carer_assessments(struct call *c)
{
	const struct filters f = filters_of(c);

	return call_list_of(c,
	                    Q_ASSESSMENTS_OF_CARER(call_path(c, "carer_id"), f.limit, f.cursor,
	                                           f.since, f.kind, f.state),
	                    "no carer has this id");
}

static bool list_of_organisation(struct call *c, const struct filters *f)
{
	if (f->since)
		return call_list(c, Q_ASSESSMENTS_CHANGED_OF_ORGANISATION(
					    f->limit, f->cursor, f->since, f->council, f->kind,
					    f->state, f->due_before, f->overdue));
	if (f->due_before || f->overdue)
		return call_list(c, Q_REVIEWS_DUE_OF_ORGANISATION(f->limit, f->cursor, f->council,
		                                                  f->kind, f->state, f->due_before,
		                                                  f->overdue));
	return call_list(c, Q_ASSESSMENTS_OF_ORGANISATION(f->limit, f->cursor, f->council, f->kind,
	                                                  f->state));
}

static bool list_of_councils(struct call *c, const struct filters *f)
{
	if (f->since)
		return call_list(c, Q_ASSESSMENTS_CHANGED_OF_COUNCILS(f->limit, f->cursor, f->since,
		                                                      f->council, f->kind, f->state,
		                                                      f->due_before, f->overdue));
	if (f->due_before || f->overdue)
		return call_list(c,
		                 Q_REVIEWS_DUE_OF_COUNCILS(f->limit, f->cursor, f->council, f->kind,
		                                           f->state, f->due_before, f->overdue));
	return call_list(
		c, Q_ASSESSMENTS_OF_COUNCILS(f->limit, f->cursor, f->council, f->kind, f->state));
}

/* Written from the side that the caller's index is on; for another class PostgreSQL says no. */
static bool list_assessments(struct call *c)
{
	const struct filters filters = filters_of(c);

	if (strcmp(c->who->class, "carers_partner") == 0)
		return list_of_organisation(c, &filters);
	return list_of_councils(c, &filters);
}

static const struct operation assessment_lists[] = {
	{ "listCarerAssessments", list_carer_assessments },
	{ "listAssessments", list_assessments },
};
MODULE(assessment_lists);
