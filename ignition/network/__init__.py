"""The network that a platform describes: one model, a reader for each kind of document, a writer for each program that sets it up.

This room is below ignition/metadata, which finds the documents.
"""
