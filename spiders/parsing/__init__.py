"""Pure helpers: what a rating, a date, an author or a piece of HTML says."""
