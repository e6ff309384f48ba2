/* SHA-256 and HMAC by libcrypto. */
#include "auth/digest.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static void contextp(EVP_MD_CTX **context) { EVP_MD_CTX_free(*context); }

static void print_hex(const unsigned char *bytes, size_t size, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		*ret_text++ = digits[bytes[i] >> 4];
		*ret_text++ = digits[bytes[i] & 15];
	}
	*ret_text = '\0';
}

bool digest_hex(const struct digest_part parts[], size_t count, char ret_text[static DIGEST_TEXT])
{
	owned_by(contextp) EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char hash[DIGEST_BYTES];
	bool good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; i < count && good; i++)
		good = EVP_DigestUpdate(context, parts[i].bytes, parts[i].size) == 1;
	if (!good || EVP_DigestFinal_ex(context, hash, NULL) != 1)
		return false;
	print_hex(hash, sizeof hash, ret_text);
	return true;
}

bool digest_hmac(struct digest_part key, struct digest_part bytes,
                 char ret_text[static DIGEST_BASE64])
{
	unsigned char hash[DIGEST_BYTES];

	if (key.size > INT_MAX ||
	    !HMAC(EVP_sha256(), key.bytes, (int)key.size, bytes.bytes, bytes.size, hash, NULL))
		return false;
	EVP_EncodeBlock((unsigned char *)ret_text, hash, sizeof hash);
	return true;
}
