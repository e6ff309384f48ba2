/* The thread that does the imports asked for over HTTP. */
#pragma once

#include "contract/document.h"
#include "db/pool.h"

struct import_thread;

/* NULL without memory or a thread. Contract, pool and connection string are borrowed until it is
 * stopped; a batch may take longer than the pool's statements, and has a session of its own. */
struct import_thread *import_thread_start(const struct contract *contract, struct db_pool *pool,
                                          const char *conninfo);
/* Waits for the batch that runs; what is left is taken up by whoever asks next. Takes NULL. */
void import_thread_stop(struct import_thread *thread);
