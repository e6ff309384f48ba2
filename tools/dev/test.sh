# ./dev test: build with ASan and UBSan, run every suite, sum up.
# shellcheck shell=bash
need build run test
command -v npm >/dev/null || need node
build build-test --buildtype=debugoptimized -Db_sanitize=address,undefined
sanitizers_on
exec /usr/bin/python3 tools/dev/suites.py --build build-test "$@"
