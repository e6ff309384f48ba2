# ./dev migrate: bring the database of a data folder to this version.
# shellcheck shell=bash
need build run
build_release
data_option "$@"
settings_of "$data"
tools/pg_cluster.py status "$data" >/dev/null && was=on || was=off
[ "$was" = on ] || tools/pg_cluster.py start "$data" >/dev/null
code=0
build-release/carers-api migrate --settings "$data/service.env" "${rest[@]}" || code=$?
[ "$was" = on ] || tools/pg_cluster.py stop "$data"
exit "$code"
