#!/bin/sh
# root.sh PROGRAM FOLDER: the root of the image: the program, the libraries that it loads, their licences and what a scanner
# of weaknesses wants to know of them (/var/lib/dpkg/status.d), the certificate authorities, one user. Nothing else.
set -eu
program="$1" root="$2"

mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/var/lib/dpkg/status.d" "$root/usr/share/doc"
for link in bin lib lib64; do # as Debian has it
	mkdir -p "$root/usr/$link"
	ln -s "usr/$link" "$root/$link"
done
cp "$program" "$root/usr/bin/carers-api"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'carers-api:x:10001:10001:carers-api:/:/sbin/nologin' >"$root/etc/passwd"
echo 'carers-api:x:10001:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
cp /etc/debian_version "$root/etc/"
cp -L /etc/os-release "$root/etc/"

described() { # the package that a file came with
	package="$(dpkg-query -S "$1" 2>/dev/null || dpkg-query -S "/usr$1")"
	package="${package%%:*}"
	[ ! -e "$root/var/lib/dpkg/status.d/$package" ] || return 0
	dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
	mkdir -p "$root/usr/share/doc/$package"
	cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/" || echo "root.sh: $package says no licence" >&2
}

viewer=.dev-docs/node_modules/swagger-ui-dist # what /docs is shown with is in the program
if [ -d "$viewer" ]; then
	mkdir -p "$root/usr/share/doc/swagger-ui-dist"
	cp "$viewer/LICENSE" "$viewer/NOTICE" "$viewer/swagger-ui-bundle.js.LICENSE.txt" "$root/usr/share/doc/swagger-ui-dist/"
fi

dpkg-query -s ca-certificates >"$root/var/lib/dpkg/status.d/ca-certificates"
loaded="$(ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\) (.*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p')"
if ldd "$program" | grep 'not found' >&2; then
	exit 1
fi
for library in $loaded; do
	mkdir -p "$root$(dirname "$library")"
	cp -L "$library" "$root$library"
	described "$library"
done
