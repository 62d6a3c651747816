"""`fx.Graph` -> `fx.Graph`, in small steps that are verified one by one."""
