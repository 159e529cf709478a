"""The dashboard: what has to be answered, on one page, with little script and nothing from elsewhere."""
