"""One file a revision, oldest first; never changed once it was released."""
