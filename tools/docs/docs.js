/* The page /docs: Swagger UI over this service's own contract, with a search over operations and a box for a token. The token is kept in
 * the page's memory alone. */
"use strict";

/* Every word is in the operation's method, path, id, summary, description or tag. */
function wordsOf(text) {
	return text.toLowerCase().split(/\s+/).filter(Boolean);
}

function textOf(item, tag) {
	const of = (name) => item.getIn(["operation", name]) || "";
	return [tag, item.get("method"), item.get("path"), of("operationId"), of("summary"), of("description")].join(" ").toLowerCase();
}

function search(tagged, phrase) {
	const words = wordsOf(phrase);
	return tagged
		.map((group, tag) => group.update("operations", (operations) => operations.filter((item) => {
			const text = textOf(item, tag);
			return words.every((word) => text.includes(word));
		})))
		.filter((group) => group.get("operations").size > 0);
}

/* The viewer fills in examples as if they were meant. What may be left out is left empty, and its example is told in words. */
function unfilled(node) {
	if (!("in" in node && "name" in node && node.schema) || node.required)
		return node;
	const { example, schema: { example: inner, ...schema }, ...rest } = node;
	const shown = example ?? inner;
	const words = shown === undefined ? "" : `\n\nFor example \`${shown}\`.`;
	return { ...rest, schema, description: (rest.description || "") + words };
}

/* What a part of the contract says with its references followed; one that leads back into itself stays. The viewer's own way takes apart
 * the whole contract for every operation that is opened: seconds of them. */
async function resolveSubtree(document, path) {
	const unescaped = (part) => part.replaceAll("~1", "/").replaceAll("~0", "~");
	const target = (ref) => ref.slice(2).split("/").reduce((node, part) => node && node[unescaped(part)], document);
	const follow = (node, open) => {
		if (Array.isArray(node))
			return node.map((one) => follow(one, open));
		if (node === null || typeof node !== "object")
			return node;
		const { $ref, ...beside } = node;
		const rest = Object.fromEntries(Object.entries(beside).map(([key, value]) => [key, follow(value, open)]));
		if (typeof $ref !== "string")
			return unfilled(rest);
		if (!$ref.startsWith("#/") || open.includes($ref))
			return { $ref, ...rest };
		return { ...follow(target($ref), [...open, $ref]), ...rest };
	};
	return { errors: [], spec: follow(path.reduce((node, part) => node && node[part], document), []) };
}

const plugin = () => ({
	fn: { opsFilter: search, resolveSubtree },
	components: { FilterContainer: () => null, Topbar: () => null }, /* the box above is ours */
});

const ui = SwaggerUIBundle({
	url: "openapi.json",
	domNode: document.getElementById("viewer"),
	plugins: [plugin],
	validatorUrl: null,
	docExpansion: "none",
	deepLinking: true,
	defaultModelsExpandDepth: 0,
	displayOperationId: true,
	displayRequestDuration: true,
	tryItOutEnabled: true,
	persistAuthorization: false,
	filter: "",
});

const box = document.getElementById("search");
const FEW = 60; /* so many operations are shown with their families opened; more only by count, families closed */

function show() {
	const phrase = box.value.trim();
	const all = ui.specSelectors.taggedOperations();
	const found = phrase ? search(all, phrase) : all.clear();
	const count = found.reduce((sum, group) => sum + group.get("operations").size, 0);
	document.body.classList.toggle("searching", phrase !== "");
	document.getElementById("found").value = phrase ? `${count} found` : "";
	ui.layoutActions.updateFilter(phrase);
	all.forEach((group, tag) => ui.layoutActions.show(["operations-tag", tag], count <= FEW && found.has(tag)));
}

/* Once, when the typing or pasting is over. */
function settled(element, act) {
	let waiting;
	element.addEventListener("input", () => {
		clearTimeout(waiting);
		waiting = setTimeout(act, 150);
	});
}

const token = document.getElementById("token");
settled(box, show);
/* A token may be pasted with its "Bearer " before it. */
settled(token, () => {
	const value = token.value.trim().replace(/^bearer\s+/i, "");
	if (value)
		ui.preauthorizeApiKey("token", value);
	else
		ui.authActions.logout(["token"]);
});
document.getElementById("tools").addEventListener("submit", (event) => event.preventDefault());
