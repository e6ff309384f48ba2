# ./dev fuzz [--seconds N] [NAME...]: libFuzzer on the harnesses of tests/fuzz, under ASan and UBSan.
# shellcheck shell=bash
need build check
seconds=60
names=()
while [ "$#" -gt 0 ]; do
	case "$1" in
	--seconds)
		[ "$#" -gt 1 ] || die "--seconds wants a number"
		seconds="$2"
		shift
		;;
	*) names+=("$1") ;;
	esac
	shift
done
if [ "${#names[@]}" -eq 0 ]; then
	mapfile -t names < <(ls tests/fuzz/corpus)
fi
build build-fuzz --buildtype=debugoptimized -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
	--native-file tools/lint/clang.ini
sanitizers_on
found="$(mktemp -d)"
trap 'rm -rf "$found"' EXIT
for name in "${names[@]}"; do
	say "dev: fuzzing $name for $seconds s"
	mkdir "$found/$name"
	# What it finds on the way is thrown away; what breaks stays in build-fuzz/ to become a file of
	# tests/fuzz/corpus/$name, which the unit suite replays.
	"build-fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix=build-fuzz/ "$found/$name" "tests/fuzz/corpus/$name" 2>"$found/$name.log" || {
		tail -40 "$found/$name.log" >&2
		die "the harness $name found something: see build-fuzz/"
	}
	sed -n 's/^stat::number_of_executed_units: */dev: executions: /p' "$found/$name.log" >&2
done
