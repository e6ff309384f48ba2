# ./dev bench: measure the release build against pgbench on this machine; ./dev bench schema: the validator against others.
# shellcheck shell=bash
if [ "${1:-}" = schema ]; then
	shift
	need build peers
	command -v npm >/dev/null || need node
	build_release
	exec /usr/bin/python3 bench/schema/run.py "$@"
fi
need build run bench
build_release
exec /usr/bin/python3 bench/run.py "$@"
