# ./dev deploy: the samples of deploy/ run with a service (nginx, HAProxy, PgBouncer), and a backup restored to a point in time.
# shellcheck shell=bash
need build run test deploy
build_release
export API_PROGRAM="$PWD/build-release/carers-api" PYTHONDONTWRITEBYTECODE=1
/usr/bin/python3 -m pytest -c tests/pytest.ini -n 2 --dist loadfile "$@" tests/deploy
