"""A text language, a typed IR and a compiler for networks whose wiring depends on the input.

    net = dagdsl.load("net.dg", tau=0.2)
    model = dagdsl.compile(net)
    logits, routes = model(images, return_routes=True)

Names are imported when they are first used: functions on text and networks, such as `load`, `check`
and `graph`, never import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dagdsl.analysis.changes import Change as Change
    from dagdsl.analysis.cost import CostSummary as CostSummary
    from dagdsl.api.language import Difference as Difference
    from dagdsl.api.language import check as check
    from dagdsl.api.language import costs as costs
    from dagdsl.api.language import diff as diff
    from dagdsl.api.language import explain as explain
    from dagdsl.api.language import fmt as fmt
    from dagdsl.api.language import graph as graph
    from dagdsl.api.language import show as show
    from dagdsl.api.models import BuildReport as BuildReport
    from dagdsl.api.models import build as build
    from dagdsl.api.models import compile as compile
    from dagdsl.api.models import load_torchvision_weights as load_torchvision_weights
    from dagdsl.api.models import predict as predict
    from dagdsl.api.routes import EdgeUse as EdgeUse
    from dagdsl.api.routes import RoutesTable as RoutesTable
    from dagdsl.api.routes import routes_table as routes_table
    from dagdsl.api.runs import BenchReport as BenchReport
    from dagdsl.api.runs import bench as bench
    from dagdsl.api.runs import evaluate as evaluate
    from dagdsl.api.runs import image_routes as image_routes
    from dagdsl.api.runs import open_run as open_run
    from dagdsl.api.runs import profile as profile
    from dagdsl.api.runs import train as train
    from dagdsl.diagnostics.explain import Explanation as Explanation
    from dagdsl.diagnostics.model import Diagnostic as Diagnostic
    from dagdsl.diagnostics.model import InvalidSource as InvalidSource
    from dagdsl.errors import DagdslError as DagdslError
    from dagdsl.errors import UsageError as UsageError
    from dagdsl.frontend import load as load
    from dagdsl.frontend import loads as loads
    from dagdsl.ir.nodes import Net as Net
    from dagdsl.prediction import OpenEdge as OpenEdge
    from dagdsl.prediction import Prediction as Prediction
    from dagdsl.prediction import Predictor as Predictor
    from dagdsl.training.config import TrainConfig as TrainConfig
    from dagdsl.training.evaluate import ImageRoutes as ImageRoutes
    from dagdsl.training.evaluate import TrainedRun as TrainedRun
    from dagdsl.training.metrics import EpochMetrics as EpochMetrics
    from dagdsl.training.metrics import Evaluation as Evaluation
    from dagdsl.training.metrics import TrainSummary as TrainSummary
    from dagdsl.training.observer import Observer as Observer
    from dagdsl.transform.dynamize import dynamize as dynamize
    from dagdsl_compiler.driver import InferenceModel as InferenceModel
    from dagdsl_compiler.driver import Model as Model
    from dagdsl_compiler.driver import Profile as Profile
    from dagdsl_compiler.errors import InputError as InputError
    from dagdsl_compiler.errors import ModelError as ModelError

__version__: Final = "0.2.0"

_NAMES: Final = {
    "dagdsl.api.language": "Difference check costs diff explain fmt graph show",
    "dagdsl.api.models": "BuildReport build compile load_torchvision_weights predict",
    "dagdsl.api.routes": "EdgeUse RoutesTable routes_table",
    "dagdsl.api.runs": "BenchReport bench evaluate image_routes open_run profile train",
    "dagdsl.analysis.changes": "Change",
    "dagdsl.analysis.cost": "CostSummary",
    "dagdsl.diagnostics.explain": "Explanation",
    "dagdsl.diagnostics.model": "Diagnostic InvalidSource",
    "dagdsl.errors": "DagdslError UsageError",
    "dagdsl.frontend": "load loads",
    "dagdsl.ir.nodes": "Net",
    "dagdsl.prediction": "OpenEdge Prediction Predictor",
    "dagdsl.training.config": "TrainConfig",
    "dagdsl.training.evaluate": "ImageRoutes TrainedRun",
    "dagdsl.training.metrics": "EpochMetrics Evaluation TrainSummary",
    "dagdsl.training.observer": "Observer",
    "dagdsl.transform.dynamize": "dynamize",
    "dagdsl_compiler.driver": "InferenceModel Model Profile",
    "dagdsl_compiler.errors": "InputError ModelError",
}
"""The public names by the module that defines them."""

_MODULES: Final = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = [*sorted(_MODULES), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module `dagdsl` has no attribute `{name}`")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
