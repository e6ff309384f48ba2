# oasdiff, built by Go into the folder of ./dev contract, which sources this.
# shellcheck shell=bash
oasdiff_version=1.37.0
go_version=1.26.8 # oasdiff needs 1.26; Debian 12 has 1.19
go_sha256=30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7

# The Go compiler that is there, or one of its own from the module proxy (a Go module like others).
go_compiler() {
	local zip="$place/go.zip" found
	found="$(PATH="$PATH:/usr/local/go/bin" command -v go || true)"
	if [ -n "$found" ] && "$found" version | grep -Eq 'go1\.(2[6-9]|[3-9][0-9])'; then
		go="$found"
		return
	fi
	go="$place/go/bin/go"
	[ ! -x "$go" ] || return 0
	say "dev: fetching Go $go_version"
	curl -sSfL -o "$zip" "https://proxy.golang.org/golang.org/toolchain/@v/v0.0.1-go$go_version.linux-amd64.zip"
	echo "$go_sha256  $zip" | sha256sum --check --status || die "Go is not the one that was pinned"
	rm -rf "$place/go-unpacked" "$place/go"
	/usr/bin/python3 -m zipfile -e "$zip" "$place/go-unpacked"
	mv "$place/go-unpacked/golang.org/toolchain@v0.0.1-go$go_version.linux-amd64" "$place/go"
	chmod -R u+x "$place/go/bin" "$place/go/pkg/tool"
	rm -rf "$place/go-unpacked" "$zip"
}

need_oasdiff() {
	oasdiff="$place/oasdiff-$oasdiff_version"
	[ ! -x "$oasdiff" ] || return 0
	go_compiler
	say "dev: building oasdiff $oasdiff_version"
	GOTOOLCHAIN=local GOFLAGS=-trimpath GOBIN="$place/bin" "$go" install "github.com/oasdiff/oasdiff@v$oasdiff_version" ||
		die "go could not build oasdiff"
	mv "$place/bin/oasdiff" "$oasdiff"
}
