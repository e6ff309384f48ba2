/* Which URLs may be told. */
#pragma once

#include "base/problem.h"

/*
 * Https, to a host that is not plainly a private one (an address, a name without a domain): else
 * `validation-failed` at /url. What the name resolves to is looked at when it is called.
 * `allow_private`: for development, http and any host are good.
 */
must_check bool webhook_url_allowed(const char *url, bool allow_private, struct problem *p);
