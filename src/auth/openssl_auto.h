/* OpenSSL's objects that free themselves. */
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include "base/attr.h"

static inline void bio_freep(BIO **bio) { BIO_free(*bio); }
static inline void bn_freep(BIGNUM **bn) { BN_free(*bn); }
static inline void pkey_freep(EVP_PKEY **pkey) { EVP_PKEY_free(*pkey); }
static inline void pkey_ctx_freep(EVP_PKEY_CTX **ctx) { EVP_PKEY_CTX_free(*ctx); }
static inline void md_ctx_freep(EVP_MD_CTX **ctx) { EVP_MD_CTX_free(*ctx); }
static inline void ecdsa_sig_freep(ECDSA_SIG **sig) { ECDSA_SIG_free(*sig); }
static inline void param_bld_freep(OSSL_PARAM_BLD **bld) { OSSL_PARAM_BLD_free(*bld); }
static inline void params_freep(OSSL_PARAM **params) { OSSL_PARAM_free(*params); }
static inline void der_freep(unsigned char **der) { OPENSSL_free(*der); }

#define bio_auto       owned_by(bio_freep) BIO
#define bn_auto        owned_by(bn_freep) BIGNUM
#define pkey_auto      owned_by(pkey_freep) EVP_PKEY
#define pkey_ctx_auto  owned_by(pkey_ctx_freep) EVP_PKEY_CTX
#define md_ctx_auto    owned_by(md_ctx_freep) EVP_MD_CTX
#define ecdsa_sig_auto owned_by(ecdsa_sig_freep) ECDSA_SIG
#define param_bld_auto owned_by(param_bld_freep) OSSL_PARAM_BLD
#define params_auto    owned_by(params_freep) OSSL_PARAM
#define der_auto       owned_by(der_freep) unsigned char
