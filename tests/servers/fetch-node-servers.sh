#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fetches the servers that come from npm, of fixed versions: Microsoft's emulator of Azure's
# storage, and the tus protocol's own server. Prints the directory that has node_modules. What is in
# the cache is taken from there. Exit status 77: they are not to be had here, and the last line says
# why.
set -eu

nothing='no servers from npm'
# shellcheck source=../vm/fetch-common.sh
. "${0%/*}/../vm/fetch-common.sh"

# The last ones of both that take node 18, Debian 12's.
packages='azurite@3.35.0 @tus/server@1.10.2 @tus/file-store@1.5.1'

if [ ! -e "$cache/node-servers/node_modules/.package-lock.json" ]; then
	command -v node >/dev/null || skip 'node is not installed'
	command -v npm >/dev/null || skip 'npm is not installed'
	mkdir "$work/node-servers"
	# shellcheck disable=SC2086 # words
	npm install --prefix "$work/node-servers" --no-audit --no-fund --ignore-scripts \
		--loglevel=error $packages >&2 || skip "npm cannot install $packages"
	publish node-servers node_modules/.package-lock.json
fi
echo "$cache/node-servers"
