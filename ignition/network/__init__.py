"""Networks that a platform describes: one model, readers of each vendor's document, and writers for what sets networks up."""
