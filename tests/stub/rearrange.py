#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the file that a flattened one becomes: rearrange.py FLATTENED FILE."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))
from kdumpcore import rearrange  # noqa: E402

Path(sys.argv[2]).write_bytes(rearrange(Path(sys.argv[1]).read_bytes()))
