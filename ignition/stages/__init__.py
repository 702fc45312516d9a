"""One file per stage. `plan()` is pure: a config and facts → operations in the order in which they run.

`operations(arguments)` is the plan for the machine that the stage runs on, and changes nothing; `run(arguments)` executes exactly
that. The fetch stages come before the config and have no plan.
"""
