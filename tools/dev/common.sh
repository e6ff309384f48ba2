# Shared by the commands of ./dev: what to say, what to install, how to build.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }
die() {
	say "dev: $*"
	exit 1
}

# packages GROUP...: the names that tools/dev/packages.txt has for these groups.
packages() {
	local group
	for group in "$@"; do
		sed -n "s/^$group: *//p" tools/dev/packages.txt | tr ' ' '\n'
	done
}

missing_packages() {
	local installed package
	installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true)"
	for package in "$@"; do
		case "$installed" in
		*" installed:$package "*) ;;
		*) printf '%s\n' "$package" ;;
		esac
	done
}

apt_get() {
	local as=()
	[ "$(id -u)" -eq 0 ] || as=(sudo)
	"${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@" </dev/null >&2
}

# A private cluster is all that is needed: Debian's own "main" is not made when PostgreSQL comes in with us.
without_main_cluster() {
	local as=()
	[ "$(id -u)" -eq 0 ] || as=(sudo)
	apt_get install --yes --no-install-recommends postgresql-common
	"${as[@]}" sed -i -E 's/^#? *create_main_cluster *=.*/create_main_cluster = false/' \
		/etc/postgresql-common/createcluster.conf
}

# need GROUP...: install what is missing of these groups, and say what.
need() {
	local wanted missing
	mapfile -t wanted < <(packages "$@")
	if ! command -v dpkg-query >/dev/null; then
		say "dev: no Debian here; these packages' contents must be there: ${wanted[*]}"
		return
	fi
	mapfile -t missing < <(missing_packages "${wanted[@]}")
	[ "${#missing[@]}" -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		die "as root, first: apt-get install --no-install-recommends ${missing[*]}"
	fi
	say "dev: installing ${missing[*]}"
	apt_get update
	case " ${missing[*]} " in
	*" postgresql-15 "*) [ -n "$(missing_packages postgresql-common)" ] && without_main_cluster ;;
	esac
	apt_get install --yes --no-install-recommends "${missing[@]}"
}

# What /docs is shown with, from npm by its lock file. A build without npm is a good one: its /docs says what is missing.
viewer() {
	local place="$PWD/.dev-docs"
	! cmp -s tools/docs/package-lock.json "$place/package-lock.json" || return 0
	command -v npm >/dev/null || (need node) || {
		say "dev: there is no npm: /docs will have no viewer"
		return 0
	}
	say "dev: installing the viewer of /docs"
	rm -rf "$place"
	mkdir -p "$place"
	cp tools/docs/package.json "$place/"
	cp tools/docs/package-lock.json "$place/package-lock.json"
	# No scripts: the package brings one that tells its makers of the installation.
	(cd "$place" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1) || {
		rm -rf "$place"
		say "dev: npm could not install it: /docs will have no viewer"
	}
}

# build FOLDER MESON-OPTION...: configure once, then compile what changed; only $build_targets, when it names some.
build_targets=()
build() {
	local folder="$1"
	shift
	viewer
	if [ ! -f "$folder/build.ninja" ]; then
		say "dev: configuring $folder"
		rm -rf "$folder"
		meson setup "$folder" "$@" >"$folder.log" 2>&1 || {
			cat "$folder.log" >&2
			die "meson could not configure $folder"
		}
		mv "$folder.log" "$folder/dev-setup.log"
	fi
	ninja -C "$folder" --quiet "${build_targets[@]}" 2>&1 | sed '/^ninja: no work to do/d' >&2 || die "the build in $folder failed"
}

build_release() {
	build build-release --buildtype=release -Db_ndebug=false
}

# Leaks count; the first report ends the program with a code of its own.
sanitizers_on() {
	export ASAN_OPTIONS="detect_leaks=1:halt_on_error=1:strict_string_checks=1:detect_stack_use_after_return=1:exitcode=97"
	export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1"
	[ ! -f tests/lsan.supp ] || export LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0"
}

# data_option ARGUMENT...: sets $data to the folder of --data (default .dev) and $rest to the other arguments.
data_option() {
	data=.dev rest=()
	while [ "$#" -gt 0 ]; do
		case "$1" in
		--data)
			[ "$#" -gt 1 ] || die "--data wants a folder"
			data="$2"
			shift
			;;
		--data=*) data="${1#--data=}" ;;
		*) rest+=("$1") ;;
		esac
		shift
	done
}

# The program and the settings of a data folder that ./dev run has made.
settings_of() {
	[ -f "$1/service.env" ] || die "there is no service.env in $1: start ./dev run --data $1 first"
	[ -x build-release/carers-api ] || build_release
}
