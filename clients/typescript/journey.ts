/* A carer's way in, by types that openapi-typescript makes of the contract and openapi-fetch: recorded, assessed, found a service,
   referred to it. CARERS_URL and CARERS_TOKEN (of a practitioner) say where and as whom: `./dev clients` gives both. */
import createClient from "openapi-fetch";
import type { components, paths } from "./carers-api.js";

type Carer = components["schemas"]["Carer"];
type Assessment = components["schemas"]["Assessment"];

const api = createClient<paths>({
	baseUrl: process.env["CARERS_URL"] ?? "http://127.0.0.1:8080",
	headers: { Authorization: `Bearer ${process.env["CARERS_TOKEN"]}` },
});
const today = new Date().toISOString().slice(0, 10);

/* The answer, or the problem as an error: `type` says what it is, `errors` where. Only `Prefer: return=minimal`, which nobody says
   here, would bring 204 and nothing. */
function good<T>(result: { data?: T; error?: unknown }): Exclude<T, undefined> {
	if (result.data === undefined)
		throw new Error(JSON.stringify(result.error));
	return result.data as Exclude<T, undefined>;
}

/* A new carer. The key makes it safe to send this again when no answer comes. */
async function record(): Promise<Carer> {
	const carer = good(await api.POST("/v1/carers", {
		params: { header: { "Idempotency-Key": crypto.randomUUID() } },
		body: {
			council: "E09000019", given_name: "Samira", family_name: `Haddad ${crypto.randomUUID().slice(0, 6)}`,
			date_of_birth: "1971-05-03", contact: { phone: "+447700900321", preferred: "phone" }, preferred_language: "ar",
			identification: { source: "gp", identified_on: today },
		},
	}));
	console.log(`carer ${carer.id} is ${carer.state}`);
	return carer;
}

/* A statutory assessment, from the offer to its end. */
async function assess(carer: Carer): Promise<Assessment> {
	const made = good(await api.POST("/v1/carers/{carer_id}/assessments", {
		params: { path: { carer_id: carer.id } },
		body: { kind: "statutory", requested: true, mode: "video", language: "ar" },
	}));
	const params = { path: { assessment_id: made.id } };
	const scheduled_for = new Date(Date.now() + 86_400_000).toISOString();
	good(await api.POST("/v1/assessments/{assessment_id}/schedule", { params, body: { scheduled_for } }));
	good(await api.POST("/v1/assessments/{assessment_id}/start", { params, body: {} }));

	const found = good(await api.PUT("/v1/assessments/{assessment_id}/swemwbs", {
		params,
		body: {
			completed_on: today,
			responses: { optimism: 3, usefulness: 3, relaxation: 2, problem_handling: 3, clear_thinking: 3, closeness: 3, own_decisions: 2 },
		},
	}));
	console.log(`SWEMWBS: raw ${found.raw_score}, metric ${found.metric_score}`);

	/* A change names the version that it was made from. */
	const read = await api.GET("/v1/assessments/{assessment_id}", { params });
	good(await api.PATCH("/v1/assessments/{assessment_id}", {
		params: { ...params, header: { "If-Match": read.response.headers.get("ETag") ?? "" } },
		body: { contingency_offer: { offered_on: today, response: "accepted" }, break_recommended: true },
		headers: { "Content-Type": "application/merge-patch+json" },
	}));
	const done = good(await api.POST("/v1/assessments/{assessment_id}/complete", { params, body: {} }));
	console.log(`assessment ${done.id} is ${done.state}`);
	return done;
}

/* Somebody who could sit with the person she cares for, and takes referrals. */
async function find() {
	const result = good(await api.GET("/v1/directory/services", {
		params: { query: { q: "sitting", referral_accepting: true, limit: 5 } },
	}));
	for (const item of result.items)
		console.log(`found: ${item.name}`);
	const first = result.items[0];
	if (!first)
		throw new Error("nobody sits");
	return first;
}

/* A referral to that service, with what it must carry (rules R1 and R2). */
async function refer(carer: Carer, assessment: Assessment, service_id: string): Promise<void> {
	const made = good(await api.POST("/v1/referrals", {
		body: {
			carer_id: carer.id, kind: "vcfse_service", priority: "routine", reason: "She has not slept through since March.",
			needs: ["break_from_caring"], current_situation: "Up every night with her mother.", information_as_of: today,
			recent_assessment_id: assessment.id, to: { service_id }, consent: { given: true, method: "verbal", recorded_on: today },
		},
	}));
	const sent = good(await api.POST("/v1/referrals/{referral_id}/submit", { params: { path: { referral_id: made.id } }, body: {} }));
	console.log(`referral ${sent.id} is ${sent.state}, first contact due ${sent.contact_due_at}`);
}

/* A problem comes back as `error`, with its type from the contract. */
async function refused(): Promise<void> {
	const { error } = await api.GET("/v1/carers/{carer_id}", { params: { path: { carer_id: "019a98d2-cd00-7000-8000-000000000000" } } });
	if (error?.type !== "/problems/not-found")
		throw new Error("a carer who is not there was found");
	console.log(`a carer who is not there: ${error.type}`);
}

const carer = await record();
const assessment = await assess(carer);
const service = await find();
await refer(carer, assessment, service.id);
await refused();
