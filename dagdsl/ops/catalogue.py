"""All ops by name: the built-in ones, then those of installed packages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dagdsl.ops import activation, conv, linear, merge, norm, pool, resize, route
from dagdsl.ops.admission import admit
from dagdsl.ops.spec import OpSpec
from dagdsl.registry import Registry

OPS: Final[Registry[OpSpec]] = Registry(
    "dagdsl.ops",
    OpSpec,
    (
        spec
        for module in (conv, norm, activation, pool, resize, linear, merge, route)
        for spec in module.OPS
    ),
    admit,
)
"""Name -> op."""

ELSEWHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "add": "sum",
        "adaptiveavgpool2d": "gap",
        "avg_pool": "avgpool",
        "avg_pool2d": "avgpool",
        "avgpool2d": "avgpool",
        "batch_norm": "bn",
        "batchnorm": "bn",
        "batchnorm2d": "bn",
        "cat": "concat",
        "concatenate": "concat",
        "conv2d": "conv",
        "dense": "fc",
        "depthwise": "dwconv",
        "global_avg_pool": "gap",
        "globalavgpool": "gap",
        "groupnorm": "gn",
        "hswish": "hardswish",
        "interpolate": "upsample",
        "linear": "fc",
        "max_pool": "maxpool",
        "max_pool2d": "maxpool",
        "maxpool2d": "maxpool",
        "swish": "silu",
    }
)
"""Name of an op in other frameworks, in lower case -> its name here."""
