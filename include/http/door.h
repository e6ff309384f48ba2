/*
 * Lets connections in and deals them out evenly to libmicrohttpd's workers. Workers that accept for
 * themselves take as many as they find: some of the 64 had a tenth of all connections, others none.
 */
#pragma once

#include "base/attr.h"

struct MHD_Daemon;
struct door;

/* Starts a thread. `fd` listens and is this module's, whatever happens; `daemon` listens to nothing
 * itself and is borrowed until door_close. While `limit` connections are open the others wait in
 * the kernel's queue. NULL when that fails. */
struct door *door_open(int fd, struct MHD_Daemon *daemon, unsigned limit);
void door_close(struct door *door); /* nobody comes in any more; takes NULL */
