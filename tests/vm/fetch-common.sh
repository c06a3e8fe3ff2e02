# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the fetch-*.sh share: the cache, and packages of Debian that are downloaded, never installed.
# Sets $cache ($RSPDUMP_CACHE, else $BUILD_DIR/cache),
# and $work, a directory in it for what is half done, so that the cache only ever holds what is
# whole. Exit status 77 of skip(): it is not to be had here, and the last line says why, behind
# $nothing.

if [ -n "${RSPDUMP_CACHE-}" ]; then
	cache=$RSPDUMP_CACHE
elif [ -n "${BUILD_DIR-}" ]; then
	cache=$BUILD_DIR/cache
else
	echo "$(basename "$0"): set RSPDUMP_CACHE or BUILD_DIR" >&2
	exit 2
fi
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

skip() {
	echo "${nothing-no kernel for the guests}: $*"
	exit 77
}

work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# As root, apt would download as the user _apt, who may not write to our directory. Options that
# choose another state than the system's come from apt_options.
apt_options=
apt() {
	command=$1
	shift
	# shellcheck disable=SC2086 # words
	"$command" -q -o APT::Sandbox::User=root $apt_options "$@"
}

# dependency META: the package of a kernel that a meta package stands for today.
dependency() {
	apt apt-cache --no-all-versions show "$1" 2>/dev/null |
		sed -n 's/^Depends:.*\(linux-image-[0-9][^ ,]*\).*/\1/p'
}

# download PACKAGE[=VERSION]: leaves exactly one .deb in $work.
download() {
	command -v apt-get >/dev/null || skip "this system has no apt-get"
	rm -f "$work"/*.deb
	(cd "$work" && apt apt-get -q download "$1" >&2) ||
		skip "apt-get cannot download $1 (has apt-get update run?)"
}

# publish DIRECTORY WITNESS: gives $work/DIRECTORY its place in the cache. Somebody else may have
# been faster; theirs is as good.
publish() {
	mkdir -p "$(dirname "$cache/$1")"
	mv -T "$work/$1" "$cache/$1" 2>/dev/null || [ -e "$cache/$1/$2" ]
}
