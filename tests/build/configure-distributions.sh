#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command lines by which distributions configure every package: debhelper's, with literal
# ${prefix}, and that of RPM's %configure.
# shellcheck disable=SC2016 # ${prefix} is to get there as it is
. "${0%/*}/common.sh"

enter debian
CFLAGS='-g -O2 -ffile-prefix-map=/build=. -fstack-protector-strong -Wformat -Werror=format-security'
CPPFLAGS='-Wdate-time -D_FORTIFY_SOURCE=2'
LDFLAGS='-Wl,-z,relro'
export CFLAGS CPPFLAGS LDFLAGS
configure --build=x86_64-linux-gnu --prefix=/usr '--includedir=${prefix}/include' \
	'--mandir=${prefix}/share/man' '--infodir=${prefix}/share/info' --sysconfdir=/etc \
	--localstatedir=/var --disable-option-checking --disable-silent-rules \
	'--libdir=${prefix}/lib/x86_64-linux-gnu' --runstatedir=/run --disable-maintainer-mode \
	--disable-dependency-tracking
lacks configure.out warning:
contains Makefile 'mandir = ${prefix}/share/man'
make_says install DESTDIR=/tmp/root
contains make.out '"/tmp/root/usr/bin/rspdump"'
contains make.out '"/tmp/root/usr/share/man/man1/rspdump.1"'
contains make.out '"/tmp/root/usr/share/doc/rspdump"'
make -n arch/error.o >make.out
contains make.out "$CPPFLAGS"
contains make.out "$CFLAGS"
lacks make.out _FORTIFY_SOURCE=3
# --disable-silent-rules
lacks make.out printf

# What debhelper adds for another build of the same source has to be kept by the one that make
# starts when configure changed.
./config.status >configure.out 2>&1
make -n arch/error.o >again.out
diff make.out again.out

enter rpm
CFLAGS='-O2 -fexceptions -g -grecord-gcc-switches -pipe -Wall -Werror=format-security
-Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=3 -Wp,-D_GLIBCXX_ASSERTIONS -fstack-protector-strong'
CFLAGS=$(echo "$CFLAGS" | tr '\n' ' ')
LDFLAGS='-Wl,-z,relro -Wl,--as-needed -Wl,-z,now'
unset CPPFLAGS
configure --build=x86_64-redhat-linux-gnu --host=x86_64-redhat-linux-gnu --program-prefix= \
	--disable-dependency-tracking --prefix=/usr --exec-prefix=/usr --bindir=/usr/bin \
	--sbindir=/usr/sbin --sysconfdir=/etc --datadir=/usr/share --includedir=/usr/include \
	--libdir=/usr/lib64 --libexecdir=/usr/libexec --localstatedir=/var --runstatedir=/run \
	--sharedstatedir=/var/lib --mandir=/usr/share/man --infodir=/usr/share/info
lacks configure.out warning:
make_says install DESTDIR=/tmp/root
contains make.out '"/tmp/root/usr/bin/rspdump"'
contains make.out '"/tmp/root/usr/share/man/man1/rspdump.1"'
make_says arch/error.o
contains make.out -D_FORTIFY_SOURCE=3
lacks make.out ' -D_FORTIFY_SOURCE'
run_make libarch.a
lacks make.out redefined
