"""Analyses of the IR: shapes, liveness, cost, and warnings about gates and balance."""
