/* The HTTP server: Ulfius on libmicrohttpd's epoll pool, one catch-all endpoint, limits, drain and
 * stop. */
#pragma once

#include "base/problem.h"
#include "http/exchange.h"

struct server;

struct server_config {
	const char *address;
	unsigned port; /* 0: a free one */
	unsigned workers, connections, connections_per_address;
	unsigned client_timeout_s;
	size_t body_limit;             /* the largest of any operation */
	const char *certificate, *key; /* PEM texts; NULL: no TLS */
};

/* `host` is borrowed until server_stop; its `draining` is set by this module. */
must_check bool server_start(const struct server_config *config, struct host *host,
                             struct server **ret_server, struct problem *p);
unsigned server_port(const struct server *server);
/* Takes no new connection and refuses new requests; waits until the running ones are answered,
 * `seconds` at most. */
void server_drain(struct server *server, unsigned seconds);
void server_stop(struct server *server); /* takes NULL */
