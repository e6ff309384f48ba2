"""Invented people: no two alike within a run, NHS numbers with a right check digit."""
import itertools

from support.tokens import ISLINGTON

_serial = itertools.count(1)
_nhs = itertools.count(940_000_000)  # 9 digits, in a range that is easily told from a real one in a failure's output


def nhs_number():
    """The next ten digits whose last is the modulus-11 check digit (a check of 10 makes no number)."""
    for number in _nhs:
        digits = [int(sign) for sign in str(number)]
        check = (11 - sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1))) % 11) % 11
        if check != 10:
            return f"{number}{check}"
    raise AssertionError("no NHS number is left")


def carer_body(council=ISLINGTON, **members):
    """The body of createCarer with what the contract requires, and a name that nobody else has."""
    serial = next(_serial)
    body = {"given_name": f"Given{serial}", "family_name": f"Family{serial}", "council": council,
            "date_of_birth": "1961-05-04",
            "identification": {"source": "self", "identified_on": "2026-03-02"}}
    body.update(members)
    return {name: value for name, value in body.items() if value is not None}
