#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
#	layering.sh [TREE]
#
# Checks that every floor of the house stands on the ones below it: what a file may include, and
# that only the program prints. First it checks itself, on a tree with one fault of each kind.
# archives.sh checks the same of what the compiler made.
set -u

tree=${1:-${SRC_DIR:-$(dirname "$0")/..}}

# Prints a C file without comments and without what strings say; lines stay lines.
strip() {
	awk '
	!comment && /^[ \t]*#[ \t]*include/ {
		sub(/[\/][*\/].*/, "")
		print
		next
	}
	{
		line = $0
		out = ""
		while (line != "") {
			if (comment) {
				end = index(line, "*/")
				if (!end)
					break
				line = substr(line, end + 2)
				comment = 0
			} else if (line ~ /^\/\*/) {
				line = substr(line, 3)
				comment = 1
			} else if (line ~ /^\/\//) {
				break
			} else if (match(line, /^"([^"\\]|\\.)*"/)) {
				line = substr(line, RLENGTH + 1)
				out = out "\"\""
			} else if (match(line, /^\047([^\047\\]|\\.)*\047/)) {
				line = substr(line, RLENGTH + 1)
				out = out "0"
			} else if (match(line, /^[^"\047\/]+/)) {
				out = out substr(line, 1, RLENGTH)
				line = substr(line, RLENGTH + 1)
			} else {
				out = out substr(line, 1, 1)
				line = substr(line, 2)
			}
		}
		print out
	}' "$1"
}

# complain PATTERN WHAT: for each line of the file that matches, which is on stdin.
complain() {
	grep -nE "$1" | while IFS=: read -r line text; do
		echo "$file:$line: $2: $text"
	done
}

# A line for each fault in the tree $1.
find_faults() (
	cd "$1" || exit 1
	include='^[[:space:]]*#[[:space:]]*include[[:space:]]*'
	find arch layout rsp client -name '*.[ch]' | LC_ALL=C sort | while read -r file; do
		case $file in
		arch/*) below='arch' ;;
		layout/*) below='arch|layout' ;;
		rsp/*) below='rsp' ;;
		client/*) below='arch|layout|rsp|client' ;;
		esac
		strip "$file" >"$work/stripped"
		grep -E "$include\"" "$work/stripped" | sed 's/[^"]*"//; s/".*//' |
			grep -vxE "config\.h|($below)/[A-Za-z0-9_/-]+\.h" | while read -r header; do
			echo "$file: may not include \"$header\""
		done

		case $file in
		client/upload/*) ;;
		*)
			complain "$include<curl/" 'only client/upload knows curl' <"$work/stripped"
			;;
		esac
		case $file in
		arch/* | layout/*)
			complain "$include<(sys/socket|sys/un|netdb|poll|termios|netinet/.*|arpa/.*)\.h>" \
				'knows no sockets and no terminals' <"$work/stripped"
			;;
		esac
		case $file in
		client/*) ;;
		*)
			calls='(printf|vprintf|puts|putchar|perror|errx?|warnx?)[[:space:]]*[(]'
			streams='(stdout|stderr)([^A-Za-z0-9_]|$)'
			complain "(^|[^A-Za-z0-9_.>])($calls|$streams)" 'only the program prints' \
				<"$work/stripped"
			;;
		esac
	done
)

# plant FILE LINE: the tree with this fault, and with no other, has to be found faulty.
plant() {
	mkdir -p "$work/tree/$(dirname "$1")"
	printf '%s\n' "$2" >"$work/tree/$1"
	[ -n "$(find_faults "$work/tree")" ] || {
		echo "layering.sh does not see the fault in $1: $2"
		status=1
	}
	echo >"$work/tree/$1"
}

accept() {
	mkdir -p "$work/tree/$(dirname "$1")"
	printf '%s\n' "$2" >"$work/tree/$1"
	faults=$(find_faults "$work/tree")
	[ -z "$faults" ] || {
		echo "layering.sh sees a fault where there is none: $faults"
		status=1
	}
	echo >"$work/tree/$1"
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
status=0

mkdir "$work/tree"
for room in arch layout rsp client; do
	mkdir "$work/tree/$room"
done
plant arch/a.c '#include "layout/core.h"'
plant arch/a.h '# include "rsp/rsp.h"'
plant arch/a.c '#include <sys/socket.h>'
plant layout/a.c '#include "rsp/rsp.h"'
plant layout/deep/a.h '#include "client/options.h"'
plant layout/a.c '#include "core.h"'
plant layout/a.c '#include "arch/../rsp/rsp.h"'
plant rsp/a.c '#include "arch/bytes.h"'
plant rsp/a.c '#include "layout/ranges.h"'
plant rsp/a.c '#include <curl/curl.h>'
plant client/a.c '#include <curl/curl.h>'
plant client/a.c '#include "tests/stub/stub.h"'
plant arch/a.c '	printf("here\n");'
plant layout/a.c '	fputs("//", stderr);'
plant rsp/a.c '	fprintf(stdout, "x"); /* why */'
plant rsp/a.c '	/* why */ perror ("x");'
accept arch/a.c '#include "arch/arch.h" // "rsp/rsp.h"'
accept layout/a.c '#include "arch/arch.h"'
accept rsp/a.c '#include "config.h"'
accept client/a.c '	printf("%s", rsp_error(rsp));'
accept client/upload/s3.c '#include <curl/curl.h>'
accept rsp/a.c '	snprintf(text, size, "stderr, printf()"); /* on stdout */'
accept rsp/a.c 'int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));'
accept rsp/a.c '	link->err = description.puts(1); // perror()'

faults=$(find_faults "$tree")
if [ -n "$faults" ]; then
	printf '%s\n' "$faults"
	status=1
fi
exit $status
