"""The bodies and parameters of the four operations in pydantic, with the rules of the contract."""
import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, StringConstraints


def text(low=1, high=None, pattern=None):
    return Annotated[str, StringConstraints(min_length=low, max_length=high, pattern=pattern)]


def between(first, last):
    def check(day):
        if not first <= day.year <= last:
            raise ValueError(f"is not of the years {first} to {last}")
        return day
    return AfterValidator(check)


def unique(values):
    if len(set(values)) < len(values):
        raise ValueError("has a value twice")
    return values


def nhs_number(digits):
    if (11 - sum(int(digit) * (10 - at) for at, digit in enumerate(digits[:9])) % 11) % 11 != int(digits[9]):
        raise ValueError("is no NHS number")
    return digits


Council = text(pattern="^E(06|08|09|10)[0-9]{6}$")
PersonName = text(high=100, pattern=r"^\S(.*\S)?$")
Date = Annotated[datetime.date, between(1800, 2099)]
RecentDate = Annotated[datetime.date, between(2000, 2099)]
Language = text(high=35, pattern="^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")
Postcode = text(high=8, pattern="^[A-Za-z]{1,2}[0-9][A-Za-z0-9]? ?[0-9][A-Za-z]{2}$")
NhsNumber = Annotated[text(pattern="^[0-9]{10}$"), AfterValidator(nhs_number)]
Visible = text(high=100, pattern="^[!-~]+$")
Code = text(pattern="^[a-z][a-z0-9_]{1,59}$")
ClockTime = text(pattern="^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")
State = Literal["identified", "registered", "active", "inactive", "closed"]
Source = Literal["gp", "hospital_admission", "hospital_discharge", "adult_social_care", "childrens_services", "carer_organisation",
                 "community_organisation", "wellbeing_service", "digital_platform", "advocate_outreach", "champion", "ambulance",
                 "employer", "self", "other"]
Need = Literal["physical_disability", "learning_disability", "autism", "dementia", "mental_health", "frailty", "long_term_condition",
               "sensory_impairment", "neurological_condition", "cancer", "stroke", "substance_misuse", "other"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class Contact(Strict):
    phone: text(high=24, pattern=r"^\+?[0-9][0-9 ()-]{4,22}$") = None
    email: Annotated[EmailStr, Field(max_length=254)] = None
    preferred: Literal["phone", "email", "sms", "letter"] = None


class Address(Strict):
    line_1: text(high=100) = None
    line_2: text(high=100) = None
    town: text(high=100) = None
    postcode: Postcode = None
    uprn: text(pattern="^[0-9]{1,12}$") = None


class Identification(Strict):
    source: Source
    organisation_id: UUID = None
    identified_on: RecentDate = None


class Gp(Strict):
    practice_code: text(pattern="^[A-Z][0-9]{5}$") = None
    name: text(high=200) = None
    registered_as_carer: Literal["yes", "no", "declined", "self_doing"] = None
    registered_on: RecentDate = None


class CaredFor(Strict):
    relationship: Literal["spouse_or_partner", "parent", "child", "sibling", "grandparent", "grandchild", "other_relative", "friend",
                          "neighbour", "other"]
    given_name: PersonName = None
    date_of_birth: Date = None
    setting: Literal["home", "hospital", "care_home", "other"] = None
    needs: Annotated[list[Need], Field(max_length=20), AfterValidator(unique)] = None
    end_of_life: bool = None


class ExternalRef(Strict):
    system: Visible
    id: Visible


class CarerCreate(Strict):
    council: Council
    kind: Literal["adult", "parent", "young"] = None
    given_name: PersonName
    family_name: PersonName
    date_of_birth: Date = None
    nhs_number: NhsNumber = None
    contact: Contact = None
    address: Address = None
    preferred_language: Language = None
    interpreter_required: bool = None
    accessible_format: Literal["easy_read", "large_print", "braille", "audio", "british_sign_language", "electronic", "other"] = None
    identification: Identification
    previously_known: bool = None
    known_to_social_care: bool = None
    employment_status: Literal["paid_16_hours_or_more", "paid_less_than_16_hours", "paid_hours_unknown", "seeking_work",
                               "voluntary_work_only", "not_seeking_work_or_retired", "unknown"] = None
    gp: Gp = None
    cared_for: Annotated[list[CaredFor], Field(max_length=20)] = None
    external_refs: Annotated[list[ExternalRef], Field(max_length=20)] = None
    duplicate_reason: text(high=1000) = None


class DirectorySearch(Strict):
    q: text(high=200) = None
    support_area: Annotated[list[Code], Field(max_length=30), AfterValidator(unique)] = None
    area: text(high=100) = None
    postcode: Postcode = None
    within_metres: Annotated[int, Field(ge=1, le=200000)] = None
    lat: Annotated[float, Field(ge=-90, le=90)] = None
    lon: Annotated[float, Field(ge=-180, le=180)] = None
    access_route: Code = None
    free: bool = None
    age: Annotated[int, Field(ge=0, le=150)] = None
    language: Language = None
    day: Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"] = None
    from_: Annotated[ClockTime, Field(alias="from")] = None
    to: ClockTime = None
    open_now: bool = None
    referral_accepting: bool = None
    organisation_type: Literal["voluntary", "community", "faith", "social_enterprise", "statutory", "commercial", "micro_provider",
                               "volunteer"] = None
    organisation_id: UUID = None
    council: Council = None
    currency: Literal["fresh", "due", "stale"] = None
    include_stale: bool = None
    facets: Annotated[list[Literal["support_area", "area"]], Field(max_length=2), AfterValidator(unique)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = None
    cursor: text(pattern="^[A-Za-z0-9_-]{20,160}$") = None


class CarerFilters(Strict):
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None
    council: Council | None = None
    state: State | None = None
    source: Source | None = None
    known_to_social_care: bool | None = None
