/* A listening TCP socket. */
#include "http/listen.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void infop(struct addrinfo **info)
{
	if (*info)
		freeaddrinfo(*info);
}

static unsigned port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at;
	socklen_t size = sizeof at;

	memset(&at, 0, sizeof at);
	if (getsockname(fd, &at.any, &size) < 0)
		return 0;
	return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
}

static int try_one(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int yes = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	close(fd);
	return -1;
}

bool listen_on(const char *address, unsigned port, int *ret_fd, unsigned *ret_port,
               struct problem *p)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		                        .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	owned_by(infop) struct addrinfo *info = NULL;
	char service[8];
	int fd = -1;

	snprintf(service, sizeof service, "%u", port);
	if (getaddrinfo(address, service, &hints, &info) != 0)
		return problem(p, PROBLEM_UNAVAILABLE, "the address %s cannot be resolved",
		               address);
	for (const struct addrinfo *one = info; one && fd < 0; one = one->ai_next)
		fd = try_one(one);
	if (fd < 0)
		return problem(p, PROBLEM_UNAVAILABLE,
		               "cannot listen on %s port %u: is something else there?", address,
		               port);
	*ret_fd = fd;
	*ret_port = port_of(fd);
	return true;
}
