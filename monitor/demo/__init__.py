"""The whole main job on this machine: a small web about an invented brand, and what lowstar makes of it."""
