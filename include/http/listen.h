/* A listening TCP socket. */
#pragma once

#include "base/attr.h"
#include "base/problem.h"

/* IPv4 or IPv6 literal or a host name; port 0 takes a free one, which is told. */
must_check bool listen_on(const char *address, unsigned port, int *ret_fd, unsigned *ret_port,
                          struct problem *p);
