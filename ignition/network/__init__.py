"""The network that a platform describes: one model, readers of documents, writers for the programs that set networks up.

This room is below ignition/metadata, which finds the documents.
"""
