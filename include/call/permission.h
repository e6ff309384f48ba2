/* Whether a caller may use an operation at all, as the contract says: scopes, then roles. Which
 * rows she then sees is PostgreSQL's business. */
#pragma once

#include "auth/principal.h"
#include "contract/endpoint.h"

enum permission { PERMITTED, LACKS_SCOPE, WRONG_ROLE };

/* A public operation is for everybody. */
enum permission permission_of(const struct principal *who, const struct endpoint *endpoint);
