"""A carer's way in, by the client that openapi-generator makes of the contract: recorded, assessed, found a service, referred to it.

CARERS_URL and CARERS_TOKEN (of a practitioner) say where and as whom: `./dev clients` gives both.
"""
import datetime
import os
import uuid

import carers_api
from carers_api import models

COUNCIL = "E09000019"
TODAY = datetime.date.today()


def record(client):
    """A new carer. The key makes it safe to send this again when no answer comes."""
    body = models.CarerCreate(
        council=COUNCIL, given_name="Samira", family_name=f"Haddad {uuid.uuid4().hex[:6]}", date_of_birth=datetime.date(1971, 5, 3),
        contact=models.Contact(phone="+447700900321", preferred="phone"), preferred_language="ar",
        identification=models.Identification(source="gp", identified_on=TODAY))
    carer = carers_api.CarersApi(client).create_carer(body, idempotency_key=str(uuid.uuid4()))
    print(f"carer {carer.id} is {carer.state.value}")
    return carer


def assess(client, carer):
    """A statutory assessment, from the offer to its end."""
    assessments = carers_api.AssessmentsApi(client)
    one = assessments.create_assessment(
        carer.id, models.AssessmentCreate(kind="statutory", requested=True, mode="video", language="ar"))
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    one = assessments.schedule_assessment(one.id, models.ScheduleAssessment(scheduled_for=when))
    one = assessments.start_assessment(one.id)

    answers = models.SwemwbsResponses(optimism=3, usefulness=3, relaxation=2, problem_handling=3, clear_thinking=3, closeness=3,
                                      own_decisions=2)
    found = carers_api.ResultsApi(client).put_swemwbs(one.id, models.SwemwbsPut(completed_on=TODAY, responses=answers))
    print(f"SWEMWBS: raw {found.raw_score}, metric {found.metric_score}")

    etag = assessments.get_assessment_with_http_info(one.id).headers["ETag"]  # a change names the version it was made from
    offer = models.AssessmentPatch(contingency_offer={"offered_on": TODAY, "response": "accepted"}, break_recommended=True)
    one = assessments.update_assessment(etag, one.id, offer)
    one = assessments.complete_assessment(one.id)
    print(f"assessment {one.id} is {one.state.value}")
    return one


def find(client):
    """Somebody who could sit with the person she cares for, and takes referrals."""
    result = carers_api.DirectoryApi(client).search_services(q="sitting", referral_accepting=True, limit=5)
    for item in result.actual_instance.items:
        print(f"found: {item.name}")
    return result.actual_instance.items[0]


def refer(client, carer, assessment, service):
    """A referral to that service, with what it must carry (rules R1 and R2)."""
    referrals = carers_api.ReferralsApi(client)
    one = referrals.create_referral(models.ReferralCreate(
        carer_id=carer.id, kind="vcfse_service", reason="She has not slept through since March.", needs=["break_from_caring"],
        current_situation="Up every night with her mother.", information_as_of=TODAY, recent_assessment_id=assessment.id,
        to=models.ReferralTarget(service_id=service.id),
        consent=models.ReferralConsent(given=True, method="verbal", recorded_on=TODAY)))
    one = referrals.submit_referral(one.id)
    print(f"referral {one.id} is {one.state.value}, first contact due {one.contact_due_at}")


def refused(client):
    """A problem is an exception with what the service says about it."""
    try:
        carers_api.CarersApi(client).get_carer(uuid.UUID("019a98d2-cd00-7000-8000-000000000000"))
    except carers_api.exceptions.NotFoundException as problem:
        print(f"a carer who is not there: {problem.data.type}")
        return
    raise SystemExit("a carer who is not there was found")


def main():
    configuration = carers_api.Configuration(host=os.environ["CARERS_URL"], access_token=os.environ["CARERS_TOKEN"])
    with carers_api.ApiClient(configuration) as client:
        carer = record(client)
        assessment = assess(client, carer)
        refer(client, carer, assessment, find(client))
        refused(client)


if __name__ == "__main__":
    main()
