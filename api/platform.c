/* The platform: whether it lives, what it promises, what its problems mean, who is asking. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "call/call.h"
#include "call/pages.h"
#include "call/permission.h"
#include "contract/document.h"
#include "db/pool.h"
#include "modules.h"
#include "queries.h"

static bool answer_ok(struct call *c)
{
	json_auto_t *json = json_pack("{s:s}", "status", "ok");

	return call_json(c, 200, json);
}

static bool get_liveness(struct call *c) { return answer_ok(c); }

static bool get_readiness(struct call *c)
{
	return db_pool_ready(c->service->pool, c->service->migrations, &c->problem) && answer_ok(c);
}

static bool get_metrics(struct call *c)
{
	buf_auto text = { .limit = 4 * MIB }; /* some 3 KiB for each operation */

	if (!c->service->metrics(c->service->metrics_context, &text))
		return problem(&c->problem, PROBLEM_INTERNAL,
		               "the metrics are larger than expected");
	return call_text(c, 200, "text/plain; version=0.0.4; charset=utf-8", buf_text(&text),
	                 text.size);
}

static bool get_openapi_json(struct call *c)
{
	const struct page page = { .text = c->service->contract_json,
		                   .size = c->service->contract_json_size,
		                   .version = c->service->contract_version };

	return call_versioned(c, "application/json", &page);
}

static bool get_openapi_yaml(struct call *c)
{
	const struct page page = { .text = c->service->contract_yaml,
		                   .size = c->service->contract_yaml_size,
		                   .version = c->service->contract_version };

	return call_versioned(c, "application/yaml", &page);
}

static json_t *problem_json(const struct problem_kind *kind)
{
	return json_pack("{s:s, s:i, s:s, s:s}", "slug", kind->slug, "status", kind->status,
	                 "title", kind->title, "advice", kind->advice);
}

static bool list_problems(struct call *c)
{
	json_auto_t *items = json_array();
	json_auto_t *list = NULL;

	for (enum problem_code code = PROBLEM_NONE + 1; code < PROBLEM_CODES; code++)
		json_array_append_new(items, problem_json(problem_kind(code)));
	list = json_pack("{s:O}", "items", items);
	return call_json(c, 200, list);
}

static bool get_problem(struct call *c)
{
	json_auto_t *json = NULL;

	for (enum problem_code code = PROBLEM_NONE + 1; code < PROBLEM_CODES && !json; code++)
		if (strcmp(problem_kind(code)->slug, call_path(c, "slug")) == 0)
			json = problem_json(problem_kind(code));
	if (!json)
		return problem(&c->problem, PROBLEM_NOT_FOUND, "no problem has this slug");
	return call_json(c, 200, json);
}

/* The operations that the caller's role and scopes open, in the contract's order; NULL when memory
 * runs out. */
static json_t *operations_of(const struct call *c)
{
	const struct contract *contract = c->service->contract;
	json_auto_t *ids = json_array();

	for (size_t i = 0; i < contract_count(contract); i++) {
		const struct endpoint *e = contract_endpoint(contract, i);

		if (e->public || permission_of(c->who, e) != PERMITTED)
			continue;
		if (json_array_append_new(ids, json_string(e->id)) < 0)
			return NULL;
	}
	return TAKE(ids);
}

static bool get_me(struct call *c)
{
	char expires[24]; /* seconds since 1970 */
	json_auto_t *operations = operations_of(c);
	text_auto *list = operations ? json_print(operations) : NULL;

	if (!list)
		return problem(&c->problem, PROBLEM_UNAVAILABLE,
		               "the service has no memory to spare");
	snprintf(expires, sizeof expires, "%" PRId64, c->who->expires);
	return call_answer(c, Q_ME(c->who->scope, expires, list, CARERS_VERSION), NULL);
}

static const struct operation platform[] = {
	{ "getLiveness", get_liveness },        { "getReadiness", get_readiness },
	{ "getMetrics", get_metrics },          { "getOpenapiJson", get_openapi_json },
	{ "getOpenapiYaml", get_openapi_yaml }, { "listProblems", list_problems },
	{ "getProblem", get_problem },          { "getMe", get_me },
};
MODULE(platform);
