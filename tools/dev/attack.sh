# ./dev attack [--minutes N] [--seed N]: Schemathesis against a service of its own, as every role and as nobody.
# shellcheck shell=bash
need build run peers
build_release
place="$PWD/.dev-attack"
if ! cmp -s tests/attack/requirements.txt "$place/requirements.txt"; then
	say "dev: installing Schemathesis"
	rm -rf "$place"
	/usr/bin/python3 -m venv "$place"
	"$place/bin/pip" install --quiet --disable-pip-version-check --requirement tests/attack/requirements.txt || {
		rm -rf "$place"
		die "pip could not install it"
	}
	cp tests/attack/requirements.txt "$place/"
fi
exec /usr/bin/python3 tools/dev/attack.py --tool "$place/bin/st" "$@"
