"""One file an API: how it is asked and what its answers hold. See `spiders.json_api`."""
