"""Named points at which a test may kill the process: HOCBA_FAILPOINT=name[:nth] ends it there as `kill -9` would."""

from __future__ import annotations

import os
import signal
from itertools import count

_name, _, _nth = os.environ.get("HOCBA_FAILPOINT", "").partition(":")
_passes = count(1)


def reach(name: str) -> None:
    if name == _name and next(_passes) == int(_nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
