"""The catalogue of ops: their parameters, shape rules and cost rules. It does not use torch."""
