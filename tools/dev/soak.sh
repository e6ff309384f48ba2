# ./dev soak NAME... [--minutes N] [--short]: endurance and faults, against a PostgreSQL and a service of its own.
# shellcheck shell=bash
need build run bench test
build_release
build_targets=(carers-api)
soaked=" $* "
case "$soaked" in
*" tsan "* | *" all "*) build build-tsan --buildtype=debugoptimized -Db_sanitize=thread ;;
esac
case "$soaked" in
*" valgrind "* | *" all "*)
	need soak
	build build-valgrind --buildtype=debugoptimized
	;;
esac
exec /usr/bin/python3 bench/soak/soak.py "$@"
