# ./dev contract [--release]: the contract as others read it: spectral with our rules, redocly, types for TypeScript that compile, and
# nothing broken of what was released. --release keeps it as what is released now.
# shellcheck shell=bash
release=
case "${1:-}" in
"") ;;
--release) release=1 ;;
*) die "contract takes only --release" ;;
esac
. tools/dev/breaking.sh
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
say "dev: breaking changes"
need_oasdiff
/usr/bin/python3 tools/dev/breaking.py "$oasdiff" api/released.json "$document"
OASDIFF="$oasdiff" /usr/bin/python3 -m unittest -q tests/released/test_breaking.py
if [ -n "$release" ]; then
	cp "$document" api/released.json
	say "dev: api/released.json is this contract: commit it, and tag the commit"
fi
say "dev: the contract is clean"
