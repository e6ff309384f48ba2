# ./dev contract: the contract as others read it: spectral with our rules, redocly, and types for TypeScript that compile.
# shellcheck shell=bash
need build
command -v npm >/dev/null || need node
build_release
place="$PWD/.dev-contract"
if ! cmp -s tools/lint/contract/package-lock.json "$place/package-lock.json"; then
	say "dev: installing what reads the contract"
	rm -rf "$place"
	mkdir -p "$place"
	cp tools/lint/contract/package.json tools/lint/contract/package-lock.json "$place/"
	(cd "$place" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || {
		rm -rf "$place"
		die "npm could not install it"
	}
fi
document=build-release/openapi.json
say "dev: spectral"
"$place/node_modules/.bin/spectral" lint --quiet --fail-severity=warn --ruleset tools/lint/contract/spectral.yaml "$document"
say "dev: redocly"
"$place/node_modules/.bin/redocly" lint --max-problems=50 --config tools/lint/contract/redocly.yaml "$document" 2>&1 | tee "$place/redocly.log"
! grep -q "You have [0-9]* warning" "$place/redocly.log" || die "redocly has remarks"
say "dev: TypeScript"
"$place/node_modules/.bin/openapi-typescript" "$document" --output "$place/carers-api.ts" >/dev/null
"$place/node_modules/.bin/tsc" --noEmit --strict --target es2022 "$place/carers-api.ts"
say "dev: the contract is clean"
