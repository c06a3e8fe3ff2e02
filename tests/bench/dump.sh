#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make bench` runs what is called .sh here; see dump.py.
exec "$(dirname "$0")/dump.py" "$@"
