#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# config.log tells all that was tried, and nothing that differs between two equal runs;
# config.status does it all over again.
# shellcheck disable=SC2089,SC2090 # quotes for make and its shell
. "${0%/*}/common.sh"

enter log
CPPFLAGS='-DFROM_THE_ENVIRONMENT="it'\''s"'
export CPPFLAGS
configure --prefix=/opt/rspdump 'LDFLAGS=-Wl,-O1  -L/nowhere' --without-lzo
contains config.log "configure --prefix=/opt/rspdump 'LDFLAGS=-Wl,-O1  -L/nowhere' --without-lzo"
contains config.log "PATH: $PATH"
contains config.log "system: $(uname -s) "
contains config.log "compiler: "
contains config.log "checking for zlib"
contains config.log "| #include <zlib.h>"
contains config.log "-L/nowhere -o conftest.d/test conftest.d/test.c"
contains config.log "result: yes, "
contains config.log "| #define HAVE_ZLIB 1"
contains config.log "rspdump "
lacks config.log "$(date +%Y-%m-%d)"
lacks config.log "$(date +%H:%M)"
[ ! -e conftest.d ] || fail "conftest.d is left"

cp Makefile Makefile.first
cp config.h config.h.first
cp config.log config.log.first
touch -d '2001-01-01' config.h
configure --prefix=/opt/rspdump 'LDFLAGS=-Wl,-O1  -L/nowhere' --without-lzo
diff config.log.first config.log
[ -z "$(find config.h -newer Makefile.first)" ] || fail "config.h is written although it is the same"

# The environment of then counts, not that of now.
CPPFLAGS=-DANOTHER CFLAGS=-O0 ./config.status --quiet >out 2>&1
[ ! -s out ] || fail "--quiet is not quiet: $(cat out)"
diff Makefile.first Makefile
diff config.h.first config.h
(cd / && "$work/log/config.status" --quiet --with-lzo)
contains config.h '#define HAVE_LZO2 1'

# Why something failed is there, too.
enter failure
refuse 'see config.log' CC=false
contains config.log '+ false'
contains config.log '= status 1'
contains config.log 'configure: error: '
