#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fetches Debian's nginx, downloaded and unpacked, never installed: its installation would start a
# service. Prints the directory that has it. What is in the cache is taken from there. Exit status
# 77: it is not to be had here, and the last line says why.
set -eu

nothing='no nginx'
# shellcheck source=../vm/fetch-common.sh
. "${0%/*}/../vm/fetch-common.sh"

if [ ! -e "$cache/nginx/usr/sbin/nginx" ]; then
	download nginx
	mkdir "$work/nginx"
	dpkg-deb --extract "$work"/*.deb "$work/nginx"
	publish nginx usr/sbin/nginx
fi
echo "$cache/nginx"
