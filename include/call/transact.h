/*
 * A handler inside its transaction: the caller's identity, the idempotency key, commit, and another
 * run when PostgreSQL asks for one. What it answers has been committed.
 */
#pragma once

#include "call/call.h"

must_check bool call_transact(struct call *c, handler_fn *handle);
