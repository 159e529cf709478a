"""Small honest servers that stand in for the services lowstar talks to: for tests, and for `lowstar demo`."""
