# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of uploads share."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SERVERS = HERE.parent / "servers"
sys.path[1:1] = [str(SERVERS), str(HERE.parent / "vm")]

from harness import check, check_equal, need, run, step, tell  # noqa: E402, F401
