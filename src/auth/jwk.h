/* JSON Web Keys (RFC 7517, RFC 7518 chapter 6) to verification keys. */
#pragma once

#include <jansson.h>

#include "auth/key.h"

enum jwk_source { JWK_PRIVATE_FILE, JWK_PUBLISHED };

/* A secret (kty oct) is taken from a file of ours only, never from what is published. Sentences as
 * in key.h. */
must_check bool jwk_read(const json_t *jwk, enum jwk_source source, struct key *ret_key,
                         struct problem *p);
/* Whether the key is one for something else (encryption), which is passed over in silence. */
bool jwk_for_others(const json_t *jwk);
