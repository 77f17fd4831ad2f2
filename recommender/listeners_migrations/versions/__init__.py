"""One module a migration; those that were released never change."""
