"""URL to verified bytes: one file per scheme, one engine for retries, limits, hashes and decompression."""
