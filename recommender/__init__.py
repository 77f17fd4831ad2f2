"""The domain of Soundalike: embedding, index life cycle, ranking. No web, no command line."""
