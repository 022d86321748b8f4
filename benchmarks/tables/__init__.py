"""A benchmark of what learners make of real tables without being tuned: `python -m benchmarks.tables --help`.

What is compared stands in registry.toml (the tables) and learners.py (the learners, each at its defaults); what was
measured is appended to a file of JSON lines, one fit a line, so that a run that is cut off goes on where it was.
"""
