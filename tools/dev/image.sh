# ./dev image: the Dockerfile linted, the image built, measured, and seen to answer.
# shellcheck shell=bash
need run
docker info >/dev/null 2>&1 || command -v podman >/dev/null || need image
place="$PWD/.dev-image"
if ! cmp -s tools/lint/image/requirements.txt "$place/requirements.txt"; then
	need peers
	rm -rf "$place"
	/usr/bin/python3 -m venv "$place"
	"$place/bin/pip" install --quiet --require-hashes --requirement tools/lint/image/requirements.txt || die "pip could not install hadolint"
	cp tools/lint/image/requirements.txt "$place/"
fi
viewer
say "dev: hadolint"
"$place/bin/hadolint" docker/Dockerfile
exec /usr/bin/python3 tools/dev/image.py "$@"
