/* The pool, as transactions see it. */
#pragma once

#include "db/pool.h"
#include "session.h"

/* A connected session, or NULL and UNAVAILABLE. */
struct db_session *pool_borrow(struct db_pool *pool, struct problem *p);
/* A session that was closed meanwhile is opened again when it is next wanted. */
void pool_return(struct db_pool *pool, struct db_session *session);
