"""The outcome of one attempt of a first boot: the document, its schema, and its senders. docs/reporting.md describes them.

Nothing here is imported unless a receiver is named: by `ignition.report.url=` on the kernel command line, or by
`ignition.x-coreos.report` in the config.
"""
