"""The public functions: what each command of `dagdsl` does, as a function of Python values.

`dagdsl/__init__.py` lists the public names. Functions that need torch import it when called.
"""
