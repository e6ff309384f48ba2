/* The only file that knows Ulfius: requests out of it, responses into it, and the daemon's life. */
#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ulfius.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/door.h"
#include "http/listen.h"
#include "http/watch.h"

struct server {
	struct _u_instance ulfius;
	struct door *door;
	struct host *host;
	struct watch *watch;
	unsigned client_timeout_s;
	unsigned port;
	_Atomic bool draining;
	_Atomic long
		unanswered; /* requests whose handler was called and whose response is not sent */
};

enum {
	/* What a connection may keep of a request's line and headers; a token has up to 8 KiB of
	 * it. libmicrohttpd touches all of it, so a thousand connections take 16 MiB. */
	HEADER_ROOM = 16 * KIB,
	PIECE = 16 * KIB, /* of a document that is sent as it stands */
	/* What the system holds of an answer that the network did not take yet. With megabytes of
	 * it a slow reader would seem to stand still: the system asks for more when much is gone.
	 */
	UNSENT_MOST = 64 * KIB,
	/* An answer may take so many times the timeout to be read: with 30 s, 5 MiB at 9 KiB/s. */
	ANSWER_TIMES = 20,
};

static const char *header_of(void *context, const char *name)
{
	return u_map_get_case(context, name);
}

/* libmicrohttpd never asks for more than there is. */
static ssize_t send_still(void *text, uint64_t offset, char *out, size_t size)
{
	memcpy(out, (const char *)text + offset, size);
	return (ssize_t)size;
}

/* A document of ours goes out in pieces: who asks for a thousand of them and reads none does not
 * make a thousand copies. */
static void hand_over_body(struct response *from, struct _u_response *to)
{
	if (from->still &&
	    ulfius_set_stream_response(to, (unsigned)from->status, send_still, NULL, from->size,
	                               PIECE, (void *)(uintptr_t)from->still) == U_OK)
		return;
	to->binary_body = TAKE(from->body); /* Ulfius frees it */
	to->binary_body_length = from->size;
}

static void hand_over(struct response *from, struct _u_response *to)
{
	to->status = from->status;
	for (size_t i = 0; i < from->header_count; i++)
		u_map_put(to->map_header, from->headers[i].name, from->headers[i].value);
	if (from->close)
		u_map_put(to->map_header, "Connection", "close");
	hand_over_body(from, to);
}

static struct watched *watched_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* A field of Ulfius' client half, free in its server half: `begun` leaves the connection there. */
static struct MHD_Connection *connection_of(const struct _u_request *request)
{
	return (struct MHD_Connection *)(uintptr_t)request->timeout;
}

/* The client waits for us: neither libmicrohttpd's timeout nor our own runs. */
static void work_begins(const struct _u_request *request)
{
	struct MHD_Connection *connection = connection_of(request);

	if (!connection)
		return;
	watch_pause(watched_of(connection));
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
}

/* We wait for the client: libmicrohttpd's timeout begins anew. */
static void work_ends(struct server *server, const struct _u_request *request)
{
	struct MHD_Connection *connection = connection_of(request);

	if (!connection)
		return;
	watch_answer(server->watch, watched_of(connection));
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
	                          server->client_timeout_s);
}

/* Always U_CALLBACK_COMPLETE: the other results make Ulfius answer in its own words. */
static int serve(const struct _u_request *from, struct _u_response *to, void *context)
{
	struct server *server = context;
	char address[CLIENT_ADDRESS];
	struct request request = {
		.method = from->http_verb,
		.target = from->http_url,
		.protocol = from->http_protocol,
		.headers = { header_of, from->map_header },
		.body = from->binary_body ? from->binary_body : "",
		.body_size = from->binary_body_length,
		.address = address,
	};
	struct response response;

	forwarded_client(&server->host->proxies, from->client_address,
	                 u_map_get_case(from->map_header, "X-Forwarded-For"), address);
	atomic_fetch_add(&server->unanswered, 1);
	/* A field of Ulfius' client half, free in its server half: it tells `completed` that this
	 * request was counted. */
	((struct _u_request *)(uintptr_t)from)->follow_redirect = 1;
	work_begins(from);
	exchange_serve(server->host, &request, &response);
	work_ends(server, from);
	hand_over(&response, to);
	response_done(&response);
	return U_CALLBACK_COMPLETE;
}

/* libmicrohttpd has read a request line: Ulfius makes its state of the request. */
static void *begun(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct server *server = context;
	struct connection_info_struct *info = ulfius_uri_logger(NULL, uri);

	watch_request(server->watch, watched_of(connection));
	if (info && info->request)
		info->request->timeout = (unsigned long)(uintptr_t)connection;
	return info;
}

static void completed(void *context, struct MHD_Connection *connection, void **con_cls,
                      enum MHD_RequestTerminationCode how)
{
	struct server *server = context;
	const struct connection_info_struct *info = *con_cls;
	bool counted = info && info->request && info->request->follow_redirect == 1;

	watch_request(server->watch, watched_of(connection));
	mhd_request_completed(NULL, connection, con_cls, how);
	if (counted)
		atomic_fetch_sub(&server->unanswered, 1);
}

/* Without it a slow reader may be cut off. */
static void hold_little(int fd)
{
	const int most = UNSENT_MOST;

	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
}

static void connected(void *context, struct MHD_Connection *connection, void **socket_context,
                      enum MHD_ConnectionNotificationCode what)
{
	struct server *server = context;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (what == MHD_CONNECTION_NOTIFY_STARTED && info) {
		*socket_context = watch_open(server->watch, info->connect_fd);
		hold_little(info->connect_fd);
	}
	if (what == MHD_CONNECTION_NOTIFY_CLOSED)
		watch_close(server->watch, *socket_context);
}

/* libmicrohttpd's remarks are about clients that break off; they may quote what the client sent. */
static void silent(void *context, const char *fmt, va_list ap)
{
	(void)context;
	(void)fmt;
	(void)ap;
}

static bool start_daemon(struct server *s, const struct server_config *config)
{
	const unsigned tls = config->certificate ? MHD_USE_TLS : 0;
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)silent, NULL },
		{ MHD_OPTION_THREAD_POOL_SIZE, config->workers, NULL },
		/* Each worker has its share of them; the door keeps the limit. */
		{ MHD_OPTION_CONNECTION_LIMIT, config->connections + config->workers, NULL },
		{ MHD_OPTION_PER_IP_CONNECTION_LIMIT, config->connections_per_address, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_ROOM, NULL },
		{ MHD_OPTION_CONNECTION_TIMEOUT, config->client_timeout_s, NULL },
		{ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connected, s },
		{ MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)completed, s },
		{ MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)begun, s },
		{ tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0,
		  (void *)(uintptr_t)config->certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)config->key },
		{ MHD_OPTION_END, 0, NULL },
	};

	return ulfius_start_framework_with_mhd_options(&s->ulfius,
	                                               MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC |
	                                                       MHD_USE_NO_LISTEN_SOCKET |
	                                                       MHD_USE_ERROR_LOG | tls,
	                                               options) == U_OK;
}

static bool prepare(struct server *s, const struct server_config *config)
{
	if (ulfius_init_instance(&s->ulfius, s->port, NULL, NULL) != U_OK)
		return false;
	s->ulfius.max_post_body_size =
		config->body_limit + 1; /* it cuts silently: one byte more shows that it did */
	s->ulfius.allowed_post_processor = U_POST_PROCESS_NONE;
	s->ulfius.check_utf8 =
		0; /* it would drop values in silence; we read the raw URL and check ourselves */
	return ulfius_add_endpoint_by_val(&s->ulfius, "*", NULL, "*", 0, serve, s) == U_OK;
}

/* Takes `fd`, whatever happens. */
static bool open_up(struct server *s, const struct server_config *config, int fd)
{
	s->client_timeout_s = config->client_timeout_s;
	s->watch = watch_new(s->client_timeout_s, s->client_timeout_s * ANSWER_TIMES);
	if (s->watch && prepare(s, config) && start_daemon(s, config)) {
		s->door = door_open(fd, s->ulfius.mhd_daemon, config->connections);
		return s->door != NULL;
	}
	close(fd);
	return false;
}

bool server_start(const struct server_config *config, struct host *host, struct server **ret_server,
                  struct problem *p)
{
	struct server *s = calloc(1, sizeof *s);
	int fd;

	if (!s)
		return problem(p, PROBLEM_UNAVAILABLE, "no memory for the server");
	s->host = host;
	host->draining = &s->draining;
	if (!listen_on(config->address, config->port, &fd, &s->port, p)) {
		free(s);
		return false;
	}
	if (!open_up(s, config, fd)) {
		server_stop(s);
		return problem(p, PROBLEM_UNAVAILABLE, "the HTTP server does not start");
	}
	*ret_server = s;
	return true;
}

unsigned server_port(const struct server *server) { return server->port; }

void server_drain(struct server *server, unsigned seconds)
{
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	int64_t until = clock_monotonic_us() + (int64_t)seconds * 1000000;

	door_close(TAKE(server->door));
	atomic_store(&server->draining, true);
	while (atomic_load(&server->unanswered) > 0 && clock_monotonic_us() < until)
		nanosleep(&pause, NULL);
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	door_close(server->door);
	if (server->ulfius.mhd_daemon)
		ulfius_stop_framework(&server->ulfius);
	ulfius_clean_instance(&server->ulfius);
	watch_free(server->watch);
	free(server);
}
