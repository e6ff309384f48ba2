# ./dev run: a release build and its private PostgreSQL, in the foreground.
# shellcheck shell=bash
need build run
build_release
exec /usr/bin/python3 tools/dev/run.py "$@"
