/* Carer passports: issued, revoked, and checked by anybody (rule C5). */
#include "base/json.h"
#include "base/random.h"
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"
#include "rules/passport_number.h"

static void new_number(char ret_number[static PASSPORT_NUMBER])
{
	uint8_t random[PASSPORT_RANDOM];

	random_bytes(random, sizeof random);
	passport_number_make(random, ret_number);
}

/* The path names the passport itself: a carer has one. */
static bool issue_passport(struct call *c)
{
	char id[UUID_TEXT], number[PASSPORT_NUMBER];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	new_number(number);
	return db_queue(c->tx,
	                Q_PASSPORT_ISSUE(id, call_path(c, "carer_id"), number,
	                                 json_text(c->body, "expires_on")),
	                &c->problem) &&
	       db_last(c->tx, Q_PASSPORT_ISSUED(id), &rows, &c->problem) && call_put(c, rows);
}

static bool get_passport(struct call *c)
{
	return call_answer(c, Q_PASSPORT_READ(call_path(c, "carer_id")),
	                   "a carer of this id has no passport");
}

static bool revoke_passport(struct call *c)
{
	const char *carer = call_path(c, "carer_id");

	return db_queue(c->tx, Q_PASSPORT_REVOKE(carer, call_body(c)), &c->problem) &&
	       call_answer(c, Q_PASSPORT_REVOKED(carer), NULL);
}

/* What is no number is asked for all the same, so that every answer comes by the same road. */
static bool check_passport(struct call *c)
{
	char number[PASSPORT_NUMBER];
	const bool read = passport_number_read(call_path(c, "number"), number);

	return call_answer(c, Q_PASSPORT_CHECK(read ? number : NULL), NULL);
}

static const struct operation passports[] = {
	{ "issuePassport", issue_passport },
	{ "getPassport", get_passport },
	{ "revokePassport", revoke_passport },
	{ "checkPassport", check_passport },
};
MODULE(passports);
