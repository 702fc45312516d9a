"""URL to verified bytes: one file per scheme, one engine that owns retry, limits, hashes and decompression."""
