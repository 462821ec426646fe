#!/bin/sh
# Before the files go. Called by dpkg as "remove" or "upgrade VERSION", by rpm as
# "0" (removal) or "1" (upgrade). An upgrade leaves the server running.
set -e

case "${1:-}" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now tenantry.service
	fi
	;;
esac
