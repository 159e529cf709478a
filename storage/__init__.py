"""What we keep: the nouns, the tables, the store."""
