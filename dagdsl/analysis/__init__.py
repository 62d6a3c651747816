"""IR -> facts and warnings: shapes, liveness, cost, gates."""
