# ./dev bench: measure the release build on this machine: against pgbench, with many carers, the feed, the directory; the service and the validator against others.
# shellcheck shell=bash
if [ "${1:-}" = schema ]; then
	shift
	need build peers
	command -v npm >/dev/null || need node
	build_release
	exec /usr/bin/python3 bench/schema/run.py "$@"
fi
need build run bench
[ "${1:-}" != peers ] || need peers
build_release
case "${1:-}" in
scale | feed | directory | peers)
	what="$1"
	shift
	;;
*) what=run ;;
esac
exec /usr/bin/python3 "bench/$what.py" "$@"
