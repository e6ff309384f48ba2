# ./dev lint: clang-tidy and cppcheck over our own C; the suppressions are named in .clang-tidy and tools/lint/.
# shellcheck shell=bash
need build check
build build-clang --buildtype=debugoptimized -Dwerror=true --native-file tools/lint/clang.ini
mapfile -t files < <(git ls-files --cached --others --exclude-standard 'src/*.c' 'api/*.c')
[ "${#files[@]}" -gt 0 ] || die "there is no C file"
code=0
say "dev: clang-tidy on ${#files[@]} files"
printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy --quiet -p build-clang || code=1
say "dev: cppcheck"
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	--suppressions-list=tools/lint/cppcheck.txt -I include -I build-clang -j "$(nproc)" \
	"${files[@]}" || code=1
[ "$code" -eq 0 ] && say "dev: lint is clean"
exit "$code"
