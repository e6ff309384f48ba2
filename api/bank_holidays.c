/* Bank holidays, by which working days are counted. */
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool get_bank_holidays(struct call *c)
{
	return call_answer(c, Q_BANK_HOLIDAYS_READ(), NULL);
}

static bool put_bank_holidays(struct call *c)
{
	return db_queue(c->tx, Q_BANK_HOLIDAYS_PUT(call_body(c)), &c->problem) &&
	       get_bank_holidays(c);
}

static const struct operation bank_holidays[] = {
	{ "getBankHolidays", get_bank_holidays },
	{ "putBankHolidays", put_bank_holidays },
};
MODULE(bank_holidays);
