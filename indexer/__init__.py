"""The indexer: a folder of music in, a published generation out."""
