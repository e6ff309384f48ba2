# ./dev build: a release, or with --debug what a debugger wants.
# shellcheck shell=bash
need build
case "${1:-}" in
"") build_release ;;
--debug) build build-debug --buildtype=debug ;;
*) die "build takes only --debug" ;;
esac
