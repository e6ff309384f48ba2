/* A relay between a client and PostgreSQL's unix socket: a poll loop in a thread of its own. */
#include "relay.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAIRS = 32, CHUNK = 65536 };

struct relay {
	char folder[64], path[96];
	struct sockaddr_un upstream;
	int listener, wake[2];
	struct {
		int client, server;
	} pairs[PAIRS];
	pthread_t thread;
	pthread_mutex_t lock; /* of all but the thread; the loop lets it go while it waits */
	pthread_cond_t changed;
	enum relay_mode mode, wanted;
	unsigned asked, done; /* changes of mode */
	bool stop;
	size_t heard;
};

/* shutdown, because close alone has no effect while the loop polls the descriptor. */
static void hang_up(struct relay *r, int pair)
{
	shutdown(r->pairs[pair].client, SHUT_RDWR);
	shutdown(r->pairs[pair].server, SHUT_RDWR);
	close(r->pairs[pair].client);
	close(r->pairs[pair].server);
	r->pairs[pair].client = r->pairs[pair].server = -1;
}

static bool listen_again(struct relay *r)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX };

	snprintf(here.sun_path, sizeof here.sun_path, "%s", r->path);
	r->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return r->listener >= 0 && bind(r->listener, (struct sockaddr *)&here, sizeof here) == 0 &&
	       listen(r->listener, PAIRS) == 0;
}

static void stop_listening(struct relay *r)
{
	if (r->listener >= 0)
		close(r->listener);
	r->listener = -1;
	unlink(r->path);
}

static void greet(struct relay *r)
{
	int client = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int free = 0;

	while (free < PAIRS && r->pairs[free].client >= 0)
		free++;
	if (free == PAIRS ||
	    connect(server, (struct sockaddr *)&r->upstream, sizeof r->upstream) != 0) {
		close(client);
		close(server);
		return;
	}
	r->pairs[free].client = client;
	r->pairs[free].server = server;
}

static bool pass_on(int from, int to, bool lost)
{
	static char chunk[CHUNK];
	ssize_t size = recv(from, chunk, sizeof chunk, 0);

	if (size <= 0 || lost)
		return false;
	for (ssize_t at = 0; at < size;) {
		ssize_t sent = send(to, chunk + at, (size_t)(size - at), MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += sent;
	}
	return true;
}

/* The server first: its last words reach a client that is still talking. */
static void serve(struct relay *r, int pair, bool from_client, bool from_server)
{
	int client = r->pairs[pair].client, server = r->pairs[pair].server;
	bool good = !from_server || pass_on(server, client, r->mode == RELAY_SWALLOW);

	if (good && from_client) {
		r->heard++;
		good = pass_on(client, server, r->mode == RELAY_REFUSE);
		while (!good && r->mode == RELAY_OPEN && pass_on(server, client, false))
			;
	}
	if (!good)
		hang_up(r, pair);
}

/* What to wait for. A closed pair has descriptors of -1, which poll passes over. */
static void watch(struct relay *r, struct pollfd fds[static 2 + 2 * PAIRS])
{
	bool frozen = r->mode == RELAY_FROZEN;

	fds[0] = (struct pollfd){ .fd = r->wake[0], .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = frozen ? -1 : r->listener, .events = POLLIN };
	for (int i = 0; i < PAIRS; i++) {
		fds[2 + 2 * i] =
			(struct pollfd){ .fd = frozen ? -1 : r->pairs[i].client, .events = POLLIN };
		fds[3 + 2 * i] =
			(struct pollfd){ .fd = frozen ? -1 : r->pairs[i].server, .events = POLLIN };
	}
}

static void turn(struct relay *r, const struct pollfd fds[static 2 + 2 * PAIRS])
{
	char byte;

	if (fds[0].revents && read(r->wake[0], &byte, 1) < 0)
		return;
	if (r->mode == RELAY_FROZEN)
		return;
	for (int i = 0; i < PAIRS; i++)
		if (r->pairs[i].client >= 0 && r->pairs[i].client == fds[2 + 2 * i].fd)
			serve(r, i, fds[2 + 2 * i].revents != 0, fds[3 + 2 * i].revents != 0);
	if (fds[1].revents && r->listener >= 0 && r->listener == fds[1].fd)
		greet(r);
}

static void change_mode(struct relay *r)
{
	r->mode = r->wanted;
	r->done = r->asked;
	if (r->mode == RELAY_GONE) {
		stop_listening(r);
		for (int i = 0; i < PAIRS; i++)
			if (r->pairs[i].client >= 0)
				hang_up(r, i);
	} else if (r->listener < 0 && !listen_again(r)) {
		abort();
	}
	pthread_cond_signal(&r->changed);
}

/* What has come under the old mode is dealt with under the old mode. */
static void *loop(void *context)
{
	struct relay *r = context;
	struct pollfd fds[2 + 2 * PAIRS];

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		bool changes = r->asked != r->done;
		int ready;

		watch(r, fds);
		pthread_mutex_unlock(&r->lock);
		ready = poll(fds, 2 + 2 * PAIRS, changes ? 0 : -1);
		pthread_mutex_lock(&r->lock);
		if (ready > 0)
			turn(r, fds);
		else if (changes)
			change_mode(r);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

struct relay *relay_start(const char *upstream)
{
	struct relay *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	snprintf(r->folder, sizeof r->folder, "/tmp/relay-XXXXXX");
	r->upstream.sun_family = AF_UNIX;
	snprintf(r->upstream.sun_path, sizeof r->upstream.sun_path, "%s", upstream);
	memset(r->pairs, -1, sizeof r->pairs);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	if (!mkdtemp(r->folder) || pipe(r->wake) != 0)
		return NULL;
	snprintf(r->path, sizeof r->path, "%s/.s.PGSQL.5432", r->folder);
	if (!listen_again(r) || pthread_create(&r->thread, NULL, loop, r) != 0)
		return NULL;
	return r;
}

static void wake(struct relay *r)
{
	if (write(r->wake[1], "", 1) != 1)
		abort();
}

void relay_stop(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	wake(r);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	for (int i = 0; i < PAIRS; i++)
		if (r->pairs[i].client >= 0)
			hang_up(r, i);
	stop_listening(r);
	rmdir(r->folder);
	close(r->wake[0]);
	close(r->wake[1]);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

const char *relay_folder(const struct relay *r) { return r->folder; }

void relay_set(struct relay *r, enum relay_mode mode)
{
	pthread_mutex_lock(&r->lock);
	r->wanted = mode;
	r->asked++;
	wake(r);
	while (r->asked != r->done)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

void relay_say(struct relay *r, const void *bytes, size_t size)
{
	pthread_mutex_lock(&r->lock);
	for (int i = 0; i < PAIRS; i++)
		if (r->pairs[i].client >= 0 &&
		    send(r->pairs[i].client, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
			abort();
	pthread_mutex_unlock(&r->lock);
}

size_t relay_heard(struct relay *r)
{
	size_t heard;

	pthread_mutex_lock(&r->lock);
	heard = r->heard;
	pthread_mutex_unlock(&r->lock);
	return heard;
}
