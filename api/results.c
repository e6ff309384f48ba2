/* What was found in an assessment: SWEMWBS, ratings, I-statements, eligibility. */
#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/swemwbs.h"

static bool answer(struct call *c, struct db_call query)
{
	return call_answer(c, query, "no such result of an assessment is on record");
}

static bool answer_put(struct call *c, struct db_call query)
{
	db_rows_auto *rows = NULL;

	if (!db_last(c->tx, query, &rows, &c->problem))
		return false;
	return db_count(rows)
	               ? call_put(c, rows)
	               : problem(&c->problem, PROBLEM_NOT_FOUND, "no assessment has this id");
}

static const char *assessment(const struct call *c) { return call_path(c, "assessment_id"); }

static struct swemwbs score_of(const json_t *responses)
{
	unsigned char answers[SWEMWBS_ITEMS];

	for (unsigned i = 0; i < SWEMWBS_ITEMS; i++)
		answers[i] = (unsigned char)json_integer_value(
			json_object_get(responses, swemwbs_items[i]));
	return swemwbs_score(answers);
}

static bool get_swemwbs(struct call *c) { return answer(c, Q_SWEMWBS_READ(assessment(c))); }

static bool put_swemwbs(struct call *c)
{
	const json_t *responses = json_object_get(c->body, "responses");
	struct swemwbs score = score_of(responses);
	text_auto *text = json_print(responses);
	char raw[4], metric[16];

	if (!text)
		return problem(&c->problem, PROBLEM_UNAVAILABLE,
		               "the service has no memory to spare");
	snprintf(raw, sizeof raw, "%u", score.raw);
	snprintf(metric, sizeof metric, "%u.%02u", score.metric / 100, score.metric % 100);
	return db_queue(c->tx,
	                Q_SWEMWBS_PUT(assessment(c), json_text(c->body, "completed_on"), text,
	                              score.complete ? "true" : "false",
	                              score.complete ? raw : NULL, score.complete ? metric : NULL,
	                              score.band),
	                &c->problem) &&
	       answer_put(c, Q_SWEMWBS_BY_ASSESSMENT(assessment(c)));
}

static bool get_ratings(struct call *c)
{
	return answer(c, Q_RATINGS_READ(assessment(c), call_path(c, "instrument")));
}

static bool put_ratings(struct call *c)
{
	const char *instrument = call_path(c, "instrument");

	return db_queue(c->tx, Q_RATINGS_PUT(assessment(c), instrument, call_body(c)),
	                &c->problem) &&
	       answer_put(c, Q_RATINGS_BY_ASSESSMENT(assessment(c), instrument));
}

static bool get_i_statements(struct call *c)
{
	return answer(c, Q_I_STATEMENTS_READ(assessment(c)));
}

static bool put_i_statements(struct call *c)
{
	return db_queue(c->tx, Q_I_STATEMENTS_PUT(assessment(c), call_body(c)), &c->problem) &&
	       answer_put(c, Q_I_STATEMENTS_BY_ASSESSMENT(assessment(c)));
}

static bool get_eligibility(struct call *c) { return answer(c, Q_ELIGIBILITY_READ(assessment(c))); }

static bool put_eligibility(struct call *c)
{
	return db_queue(c->tx, Q_ELIGIBILITY_PUT(assessment(c), call_body(c)), &c->problem) &&
	       answer_put(c, Q_ELIGIBILITY_BY_ASSESSMENT(assessment(c)));
}

static const struct operation results[] = {
	{ "getSwemwbs", get_swemwbs },          { "putSwemwbs", put_swemwbs },
	{ "getRatings", get_ratings },          { "putRatings", put_ratings },
	{ "getIStatements", get_i_statements }, { "putIStatements", put_i_statements },
	{ "getEligibility", get_eligibility },  { "putEligibility", put_eligibility },
};
MODULE(results);
