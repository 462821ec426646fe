#!/bin/sh
# After the files are there. Called by dpkg as "configure [OLD-VERSION]", by rpm
# as "1" (install) or "2" (upgrade). Doing it twice is doing it once.
set -e

upgrade=no
case "${1:-}" in
configure) [ -z "${2:-}" ] || upgrade=yes ;;
1) ;;
*) upgrade=yes ;;
esac

if command -v systemd-sysusers >/dev/null 2>&1; then
	systemd-sysusers tenantry.conf
else
	getent group tenantry >/dev/null || groupadd --system tenantry
	getent passwd tenantry >/dev/null ||
		useradd --system --gid tenantry --home-dir /var/lib/tenantry --no-create-home \
			--shell /usr/sbin/nologin --comment Tenantry tenantry
fi
if command -v systemd-tmpfiles >/dev/null 2>&1; then
	systemd-tmpfiles --create tenantry.conf
else
	install -d -m 0700 -o tenantry -g tenantry /var/lib/tenantry
fi

# The configuration may come to hold secrets. Only a file that still has the
# owner it was unpacked with is touched, so an administrator's choice stays.
config=/etc/tenantry/tenantry.toml
if [ -f "$config" ] && [ "$(stat -c %G "$config")" = root ]; then
	chgrp tenantry "$config"
	chmod 0640 "$config"
fi

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	[ "$upgrade" = no ] || systemctl try-restart tenantry.service
fi

if [ "$upgrade" = no ]; then
	cat <<'EOF'
Tenantry is installed and not started yet. To begin:

  sudo -u tenantry tenantry operator key create --name admin --config /etc/tenantry/tenantry.toml
  sudo systemctl enable --now tenantry

The first command prints the operator's key, once. Without it the first start
makes one and prints it to the system's journal.
EOF
fi
