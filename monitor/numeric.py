"""numpy, loaded when it is needed first, and for one thread.

Its linear algebra would start a thread for each core, which wait by spinning: the products here are so small that the
waiting costs three times the work, and a crawl beside it has less of the machine.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any

_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")  # read once, while it loads


@cache
def numpy() -> Any:
    """The module. What the environment says of threads is heard before; it is left as it was."""
    if "numpy" not in sys.modules:
        ours = [name for name in _THREADS if name not in os.environ]
        os.environ.update(dict.fromkeys(ours, "1"))
        try:
            import numpy as module
        finally:
            for name in ours:
                del os.environ[name]
        return module
    return sys.modules["numpy"]
