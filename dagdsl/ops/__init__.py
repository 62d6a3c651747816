"""The catalogue of operators: parameters, shape and cost rules; no torch."""
