# ./dev clients: clients made of the contract, in TypeScript and Python, and run against a service of their own.
# shellcheck shell=bash
need build run peers generator
command -v npm >/dev/null || need node
build_release
place="$PWD/.dev-clients"
generator=7.25.0
generator_sha256=41ce4f6b07f196676439d710759fa1ced7a08066d06ff1bf314681470289efae
jar="$place/openapi-generator-cli-$generator.jar"
mkdir -p "$place"
if ! echo "$generator_sha256  $jar" | sha256sum --check --status 2>/dev/null; then
	say "dev: fetching openapi-generator $generator"
	curl -sSfL -o "$jar" "https://repo1.maven.org/maven2/org/openapitools/openapi-generator-cli/$generator/openapi-generator-cli-$generator.jar"
	echo "$generator_sha256  $jar" | sha256sum --check --status || {
		rm -f "$jar"
		die "openapi-generator is not the one that was pinned"
	}
fi
if ! cmp -s clients/python/requirements.txt "$place/venv/requirements.txt"; then
	say "dev: installing what the Python client needs"
	rm -rf "$place/venv"
	/usr/bin/python3 -m venv "$place/venv"
	"$place/venv/bin/pip" install --quiet --disable-pip-version-check --requirement clients/python/requirements.txt ||
		die "pip could not install it"
	cp clients/python/requirements.txt "$place/venv/"
fi
if ! cmp -s clients/typescript/package-lock.json "$place/typescript/package-lock.json"; then
	say "dev: installing what the TypeScript client needs"
	rm -rf "$place/typescript"
	mkdir -p "$place/typescript"
	cp clients/typescript/package.json clients/typescript/package-lock.json "$place/typescript/"
	(cd "$place/typescript" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || {
		rm -rf "$place/typescript"
		die "npm could not install it"
	}
fi

say "dev: the TypeScript client"
cp clients/typescript/journey.ts clients/typescript/tsconfig.json "$place/typescript/"
(
	cd "$place/typescript"
	node_modules/.bin/openapi-typescript ../../build-release/openapi.json --output carers-api.ts >/dev/null
	node_modules/.bin/tsc
)
say "dev: the Python client"
rm -rf "$place/python"
java -jar "$jar" generate -g python -i build-release/openapi.json -o "$place/python" \
	--additional-properties=packageName=carers_api,projectName=carers-api-client >"$place/generator.log" 2>&1 || {
	tail -40 "$place/generator.log" >&2
	die "openapi-generator could not make it"
}
"$place/venv/bin/python" -m compileall -q "$place/python/carers_api"
exec /usr/bin/python3 tools/dev/clients.py "$place"
