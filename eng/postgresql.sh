#!/bin/sh
# Sees to it that PostgreSQL is there for the tests, which start servers of their own. Installs it as root on Debian and Ubuntu, without a cluster that would run beside them.
set -eu

if command -v initdb > /dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1; then
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null 2>&1; then
  echo "PostgreSQL is missing (no initdb), and this script installs it as root by apt-get only: install the package postgresql (14 or later)." >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
apt-get update
apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold postgresql
