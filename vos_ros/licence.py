# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What ament_copyright has to know of our files: they name their licence and do not recite it.

It knows the head of a file with the Apache License by the paragraphs that may stand there. setup.py
makes it known that a line with the SPDX identifier says the same; the licence itself is in the file
LICENSE, and CONTRIBUTING.md says that it holds for contributions.
"""

from __future__ import annotations

from typing import NamedTuple


class Licence(NamedTuple):
    """A licence as ament_copyright takes it; texts may differ in where their lines break.

    Attributes:
        name: in full.
        spdx: its identifier in SPDX's list.
        file_headers: what may stand at the top of a file, `{copyright}` for who has the copyright.
        license_files: what the file LICENSE must hold.
        contributing_files: what CONTRIBUTING.md must hold.
    """

    name: str
    spdx: str
    file_headers: tuple[str, ...]
    license_files: tuple[str, ...]
    contributing_files: tuple[str, ...]


APACHE_2 = Licence(
    name="Apache License, Version 2.0, by its SPDX identifier",
    spdx="Apache-2.0",
    file_headers=("{copyright}\nSPDX-License-Identifier: Apache-2.0\n",),
    license_files=("Apache License\nVersion 2.0, January 2004\nhttp://www.apache.org/licenses/",),
    contributing_files=(
        "By sending one you put it under the licence of the project, [Apache-2.0](LICENSE), as its"
        " section 5 says",
    ),
)
