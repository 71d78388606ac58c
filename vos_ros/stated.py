# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the entries of a stage or a table say, in the form in which it is kept and compared."""

from __future__ import annotations

import dataclasses
import json
from typing import Any


def stated(entries: Any) -> dict[str, Any]:
    """The entries of a dataclass that differ from their defaults, as JSON has them.

    Tuples are lists there. Defaults are left out so that an entry which is added later changes
    nothing.
    """
    defaults = {f.name: f.default for f in dataclasses.fields(entries)}
    values = dataclasses.asdict(entries)
    return json.loads(json.dumps({k: v for k, v in values.items() if v != defaults[k]}))
