# ./dev token: a development token for the service of a data folder.
# shellcheck shell=bash
data_option "$@"
settings_of "$data"
arguments=()
set -- "${rest[@]}"
while [ "$#" -gt 0 ]; do
	case "$1" in
	--alg)
		[ "$#" -gt 1 ] || die "--alg wants RS256 or HS256"
		alg="$2"
		shift
		;;
	*) arguments+=("$1") ;;
	esac
	shift
done
case "${alg:-RS256}" in
RS256) ;;
HS256) # the environment wins over the file
	export CARERS_DEV_ALG=HS256 CARERS_DEV_KID=dev-hs256 CARERS_DEV_KEY="$data/keys/dev-hs256.key"
	;;
*) die "there is a development key for RS256 and for HS256 only" ;;
esac
exec build-release/carers-api token --settings "$data/service.env" "${arguments[@]}"
