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
# The pages carry the commit's date, not today's.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) "$program" man "$out/man"
for shell in bash zsh fish powershell; do
	"$program" completion "$shell" >"$out/completions/tenantry.$shell"
done
rm "$program"

mkdir "$out/man.gz"
cp "$out"/man/*.1 "$out/man.gz/"
gzip -9n "$out"/man.gz/*.1

# licences TITLE DIR prints every licence and notice file in DIR, which has at
# least one. What could not be linked into a program under Apache-2.0 is an error.
licences() {
	local found=0 file
	for file in "$2"/LICEN[CS]E* "$2"/COPYING* "$2"/NOTICE*; do
		[ -f "$file" ] || continue
		found=1
		if grep -qE '^ *GNU (AFFERO |LESSER |LIBRARY )?GENERAL PUBLIC LICENSE' "$file"; then
			echo "$1 has a licence that does not go with ours: $file" >&2
			return 1
		fi
		printf '\n==== %s: %s\n\n' "$1" "${file##*/}"
		cat "$file"
	done
	if [ "$found" = 0 ]; then
		echo "$1 has no licence file in $2" >&2
		return 1
	fi
}

# packages lists what is linked on any system: module, version, folder of the
# module, folder of the package.
packages() {
	local system
	for system in linux darwin windows; do
		GOOS=$system CGO_ENABLED=0 go list -deps \
			-f '{{$dir := .Dir}}{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}} {{$dir}}{{end}}{{end}}' .
	done | LC_ALL=C sort -u
}

# of_modules prints the licences of every module.
of_modules() {
	packages | cut -d ' ' -f 1-3 | uniq | while read -r path version top; do
		licences "$path $version" "$top"
	done
}

# of_folders prints those that folders below a module have of their own, where a
# package in them is linked.
of_folders() {
	packages | while read -r path version top dir; do
		while [ "$dir" != "$top" ]; do
			echo "$path $version, ${dir#"$top"/}|$dir"
			dir=${dir%/*}
		done
	done | LC_ALL=C sort -u | while IFS='|' read -r title dir; do
		if compgen -G "$dir/LICEN[CS]E*" >/dev/null; then
			licences "$title" "$dir"
		fi
	done
}

{
	echo "Tenantry contains the following, each under its own licence."
	licences "The Go standard library, $(go env GOVERSION)" "$(go env GOROOT)"
	of_modules
	of_folders
	licences "Swagger UI" web/swagger
	printf '\n==== %s\n\n' "Libraries in the bundle of Swagger UI"
	cat web/swagger/BUNDLED-LICENSES.txt
	licences "Django's list of common passwords" app/identity/commonpasswords
} >"$out/THIRD_PARTY_LICENSES.txt"
