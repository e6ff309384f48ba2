/* One GET /readyz. */
#include "http/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ulfius.h>

/* A literal IPv6 address stands in brackets; one that means "every address" cannot be asked. */
static void url_of(const char *address, unsigned port, bool tls, char *url, size_t size)
{
	const char *host = address;
	bool colons;

	if (strcmp(host, "0.0.0.0") == 0)
		host = "127.0.0.1";
	if (strcmp(host, "::") == 0)
		host = "::1";
	colons = strchr(host, ':') != NULL;
	snprintf(url, size, "%s://%s%s%s:%u/readyz", tls ? "https" : "http", colons ? "[" : "",
	         host, colons ? "]" : "", port);
}

static bool ask(struct _u_request *request, const char *url, struct _u_response *response)
{
	return ulfius_set_request_properties(request, U_OPT_HTTP_VERB, "GET", U_OPT_HTTP_URL, url,
	                                     U_OPT_TIMEOUT, (unsigned long)PROBE_SECONDS,
	                                     U_OPT_CHECK_SERVER_CERTIFICATE, 0,
	                                     U_OPT_NONE) == U_OK &&
	       ulfius_send_http_request(request, response) == U_OK;
}

bool probe_ready(const char *address, unsigned port, bool tls, struct problem *p)
{
	struct _u_request request;
	struct _u_response response;
	char url[320];
	long status = 0;

	url_of(address, port, tls, url, sizeof url);
	setenv("no_proxy", "*",
	       1); /* it asks its own machine, whatever proxy others are asked through */
	if (ulfius_init_request(&request) != U_OK || ulfius_init_response(&response) != U_OK)
		return problem(p, PROBLEM_UNAVAILABLE, "no memory");
	if (ask(&request, url, &response))
		status = response.status;
	ulfius_clean_request(&request);
	ulfius_clean_response(&response);
	if (status == 0)
		return problem(p, PROBLEM_UNAVAILABLE, "nothing answers at port %u", port);
	return status == 200 || problem(p, PROBLEM_UNAVAILABLE, "/readyz answers with %ld", status);
}
