/* One line a request: what was asked, how it ended, how long it took. Nothing of a person, a token
 * or a body. */
#include <stdio.h>

#include "base/log.h"
#include "http/exchange_own.h"

void log_exchange(const struct exchange *x, int64_t duration_us)
{
	const struct endpoint *e = x->call.endpoint;
	enum problem_code code = x->call.problem.code;
	char status[8], duration[24];

	snprintf(status, sizeof status, "%d", x->response->status);
	snprintf(duration, sizeof duration, "%lld", (long long)duration_us);
	log_event(x->response->status >= 500 ? LOG_ERROR : LOG_INFO, "request", "operation",
	          e ? e->id : "none", "status", status, "problem",
	          code == PROBLEM_NONE ? NULL : problem_kind(code)->slug, "duration_us", duration,
	          "request_id", x->id, "traceparent", x->trace[0] ? x->trace : NULL, "role",
	          x->who && !x->who->anonymous ? x->who->role : NULL, "client",
	          x->who && !x->who->anonymous ? x->who->client : NULL, NULL);
}
