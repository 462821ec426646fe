#!/usr/bin/env bash
# Makes what a release carries beside the binary, in .cache/release: manual
# pages, shell completions, and the licences of everything that is linked.
set -euo pipefail
cd "$(dirname "$0")/.."

out=.cache/release
rm -rf "$out"
mkdir -p "$out/completions" "$out/man"

program=$out/tenantry
# The system that this runs on, also when a release tool asks for another.
env -u GOOS -u GOARCH CGO_ENABLED=0 go build -o "$program" .
"$program" man "$out/man"
for shell in bash zsh fish powershell; do
	"$program" completion "$shell" >"$out/completions/tenantry.$shell"
done
rm "$program"

mkdir "$out/man.gz"
cp "$out"/man/*.1 "$out/man.gz/"
gzip -9n "$out"/man.gz/*.1

# licences TITLE DIR prints every licence and notice file in DIR.
licences() {
	local found=0 file
	for file in "$2"/LICEN[CS]E* "$2"/COPYING* "$2"/NOTICE*; do
		[ -f "$file" ] || continue
		found=1
		printf '\n==== %s: %s\n\n' "$1" "${file##*/}"
		cat "$file"
	done
	if [ "$found" = 0 ]; then
		echo "$1 has no licence file in $2" >&2
		return 1
	fi
}

modules() {
	local system
	for system in linux darwin windows; do
		GOOS=$system CGO_ENABLED=0 go list -deps \
			-f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' .
	done | LC_ALL=C sort -u
}

{
	echo "Tenantry contains the following, each under its own licence."
	licences "The Go standard library, $(go env GOVERSION)" "$(go env GOROOT)"
	modules | while read -r path version dir; do
		licences "$path $version" "$dir"
	done
	licences "Swagger UI" web/swagger
	printf '\n==== %s\n\n' "Libraries in the bundle of Swagger UI"
	cat web/swagger/BUNDLED-LICENSES.txt
	licences "Django's list of common passwords" app/identity/commonpasswords
} >"$out/THIRD_PARTY_LICENSES.txt"
