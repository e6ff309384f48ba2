# ./dev check: format, layers, style; builds with warnings as errors; the contract, its clients, an attack on it; a minute of each
# fuzz harness; deploy/'s samples; endurance and faults in short; then everything that can fail.
# shellcheck shell=bash
quick_checks() {
	local files
	command -v clang-format >/dev/null || die "clang-format is missing: apt-get install clang-format"
	mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.c' '*.h')
	say "dev: format"
	[ "${#files[@]}" -eq 0 ] || clang-format --dry-run -Werror "${files[@]}"
	say "dev: layers"
	tools/layers.py
	say "dev: style"
	tools/style.py
	tools/tables.py --check
}

case "${1:-}" in
--quick)
	quick_checks
	exit 0
	;;
"") ;;
*) die "check takes only --quick" ;;
esac

need build run test check
quick_checks
say "dev: gcc, warnings as errors"
build build-gcc --buildtype=debugoptimized -Dwerror=true
say "dev: clang, warnings as errors"
build build-clang --buildtype=debugoptimized -Dwerror=true --native-file tools/lint/clang.ini
(
	set --
	. tools/dev/contract.sh
)
(
	set --
	. tools/dev/clients.sh
)
(
	set -- --minutes 2
	. tools/dev/attack.sh
)
(
	set --
	. tools/dev/fuzz.sh
)
(
	set --
	. tools/dev/deploy.sh
)
(
	set -- all --short
	. tools/dev/soak.sh
)
set --
. tools/dev/test.sh
