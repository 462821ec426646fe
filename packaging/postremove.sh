#!/bin/sh
# After the files are gone. Called by dpkg as "remove", "purge" or "upgrade …", by
# rpm as "0" (removal) or "1" (upgrade). The data and its user stay: nothing
# here can know that they are not wanted any more.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
case "${1:-}" in
purge | 0)
	if [ -d /var/lib/tenantry ]; then
		echo "The data of Tenantry is still in /var/lib/tenantry. Remove it yourself when you are sure."
	fi
	;;
esac
