# ./dev bench: measure the release build against pgbench on this machine.
# shellcheck shell=bash
need build run bench
build_release
exec /usr/bin/python3 bench/run.py "$@"
