/* One thread that accepts. */
#include "http/door.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 10 }; /* for room, or for descriptors */

struct door {
	pthread_t thread;
	struct MHD_Daemon *daemon;
	unsigned limit;
	int fd, closing;
};

static bool has_room(const struct door *door)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return !info || info->num_connections < door->limit;
}

/* False when nothing could be accepted. A connection that libmicrohttpd refuses, it closes. */
static bool let_in(const struct door *door)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	int fd = accept4(door->fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		MHD_add_connection(door->daemon, fd, (struct sockaddr *)&from, size);
	return fd >= 0;
}

/* False when it is time to close. */
static bool wait_for(const struct door *door, bool room, bool *ret_somebody)
{
	struct pollfd fds[] = { { .fd = door->closing, .events = POLLIN },
		                { .fd = room ? door->fd : -1, .events = POLLIN } };

	poll(fds, 2, room ? -1 : LOOK_AGAIN_MS);
	*ret_somebody = fds[1].revents;
	return !fds[0].revents;
}

static void *run(void *context)
{
	const struct door *door = context;
	bool room = true, somebody;

	while (wait_for(door, room, &somebody))
		room = has_room(door) && (!somebody || let_in(door));
	return NULL;
}

struct door *door_open(int fd, struct MHD_Daemon *daemon, unsigned limit)
{
	struct door *door = calloc(1, sizeof *door);

	if (!door) {
		close(fd);
		return NULL;
	}
	*door = (struct door){ .daemon = daemon, .limit = limit, .fd = fd };
	door->closing = eventfd(0, EFD_CLOEXEC);
	if (door->closing >= 0 && pthread_create(&door->thread, NULL, run, door) == 0)
		return door;
	if (door->closing >= 0)
		close(door->closing);
	close(fd);
	free(door);
	return NULL;
}

void door_close(struct door *door)
{
	if (!door)
		return;
	eventfd_write(door->closing, 1);
	pthread_join(door->thread, NULL);
	close(door->closing);
	close(door->fd);
	free(door);
}
