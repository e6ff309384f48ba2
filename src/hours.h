/* Opening hours that do not hold every week, worked out anew before they end. */
#pragma once

#include "base/problem.h"
#include "db/pool.h"

/* A page of today's round, which all replicas share; nothing when it is done. */
must_check bool hours_renew(struct db_pool *pool, struct problem *p);
