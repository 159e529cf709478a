"""What does `python -m monitor` do? The same as `lowstar`."""

from __future__ import annotations

from monitor.cli import main

if __name__ == "__main__":
    main()
