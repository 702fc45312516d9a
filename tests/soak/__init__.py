"""The part of `make soak` that runs on the host itself: many attempts at events that must never happen."""
