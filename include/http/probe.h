/* Asks a service that runs whether it can serve: for a health check where no curl is about. */
#pragma once

#include "base/attr.h"
#include "base/problem.h"

enum { PROBE_SECONDS = 5 };

/* `address` is what the service listens on; where that is every address, the loopback is asked. A
 * certificate is not looked at: it is made for the public name, and nothing secret is told. */
must_check bool probe_ready(const char *address, unsigned port, bool tls, struct problem *p);
