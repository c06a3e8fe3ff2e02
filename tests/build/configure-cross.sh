#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Building for another machine: its tools are found by their names, this machine's libraries are
# not taken for its, and nothing that was compiled is run.
. "${0%/*}/common.sh"

need aarch64-linux-gnu-gcc
unset CC
host=aarch64-linux-gnu

if command -v $host-pkg-config >/dev/null; then
	PKG_CONFIG=$host-pkg-config
	! $PKG_CONFIG --exists expat || skip "this machine has expat for $host"
fi

enter without-expat
refuse 'expat is needed and cannot be used' --host=$host
contains configure.out EXPAT_LIBS
lacks configure.out 'rspdump 0'

# A stand-in for expat on the other machine.
enter expat
echo 'void *XML_ParserCreate(const char *encoding);' >expat.h
echo 'void *XML_ParserCreate(const char *encoding) { return (void *)encoding; }' >expat.c
$host-gcc -c expat.c
$host-ar rc libexpat.a expat.o

enter with-expat
configure --build=x86_64-linux-gnu --host=$host --enable-werror \
	EXPAT_CFLAGS="-I$work/expat" EXPAT_LIBS="-L$work/expat -lexpat"
contains configure.out 'as EXPAT_CFLAGS and EXPAT_LIBS say'
contains configure.out "made for    $host"
contains Makefile "CC = $host-gcc"
contains Makefile "AR = $host-ar"
contains Makefile "STRIP = $host-strip"
for library in ZLIB LIBDEFLATE LZO2 SNAPPY ZSTD CURL NETTLE; do
	contains config.h "#define HAVE_$library 0"
done

# What needs no library can be built to the end.
run_make libarch.a
$host-nm libarch.a >symbols 2>&1 || fail "$host-nm cannot read libarch.a"

# A compiler whose programs tell if they are run.
enter never-runs
cat >cc <<END
#!/bin/sh
gcc "\$@" || exit
for word in "\$@"; do
	if [ "\$word" = -c ]; then exit 0; fi
done
while [ \$# -gt 1 ]; do
	if [ "\$1" = -o ]; then
		printf '#!/bin/sh\ntouch $work/ran\n' >"\$2"
	fi
	shift
done
END
chmod +x cc
configure CC="$work/never-runs/cc"
[ ! -e "$work/ran" ] || fail "configure runs what it compiles"
