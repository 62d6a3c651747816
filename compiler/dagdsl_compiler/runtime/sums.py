"""Weighted sums and their gradients as two operators, each one kernel for any number of edges.

Generated code has a separate kernel for each number of summands, forward and backward, and building
those kernels would take most of the time to compile a dense stage. These operators are opaque to
the generator. On a CPU, float32 runs through `sums.cpp`. Everything else is composed of PyTorch's
operators, as is float32 if torch cannot compile C++.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.resources import files

import torch
from torch import Tensor

from dagdsl_compiler.runtime.operators import define
from dagdsl_compiler.torch_private import load_cpp

_one = ctypes.c_float(1)
_ONE = ctypes.addressof(_one)
"""The address of the weight of edges without one."""


def weighted_sum(values: list[Tensor], weights: list[Tensor], columns: list[int]) -> Tensor:
    """Sum of `values`, `[B, ...]` each, times columns of `weights`, `[B, E]` or `[1, E]` each.

    `values[i]` is multiplied by the column `columns[i]` of `weights[i]`; -1 stands for weight one.
    A value with weight zero is ignored even if it is infinite. Not differentiable: use `fan_out`
    and `junction`.
    """
    result: Tensor = _weighted_sum_operator(values, weights, columns)
    return result


def weight_gradients(x: Tensor, values: list[Tensor], like: Tensor, columns: list[int]) -> Tensor:
    """For each sample the dot products of `x`, `[B, ...]`, with each of `values`.

    The result has the shape of `like`: `[B, E]`, or `[1, E]` summed over the samples. The products
    are in `columns`; the other columns are zero.
    """
    result: Tensor = _weight_gradients_operator(x, values, like, columns)
    return result


def _weighted_sum_shape(values: list[Tensor], weights: list[Tensor], columns: list[int]) -> Tensor:
    return torch.empty_like(values[0])


def _weight_gradients_shape(
    x: Tensor, values: list[Tensor], like: Tensor, columns: list[int]
) -> Tensor:
    return like.new_empty(like.shape)


def _weighted_sum(values: list[Tensor], weights: list[Tensor], columns: list[int]) -> Tensor:
    total = torch.zeros_like(values[0])
    shape = (-1, *(1,) * (total.dim() - 1))
    for value, weight, column in zip(values, weights, columns, strict=True):
        if column == -1:
            total.add_(value)
        else:
            factor = weight[:, column].to(value.dtype).view(shape)
            total.addcmul_(torch.where(factor == 0, 0, value), factor)
    return total


def _weight_gradients(x: Tensor, values: list[Tensor], like: Tensor, columns: list[int]) -> Tensor:
    dots = torch.stack([(x * value).flatten(1).sum(1) for value in values], 1)
    return _in_columns(dots, like, columns)


def _in_columns(dots: Tensor, like: Tensor, columns: list[int]) -> Tensor:
    if like.shape[0] == 1:
        dots = dots.sum(0, keepdim=True)
    result = like.new_zeros(like.shape)
    result[:, columns] = dots.to(like.dtype)
    return result


def _weighted_sum_on_cpu(values: list[Tensor], weights: list[Tensor], columns: list[int]) -> Tensor:
    values = _alike(values)
    first = values[0]
    kernels = _kernels() if _is_plain(first) else None
    if kernels is None:
        return _weighted_sum(values, weights, columns)
    total = torch.empty_like(first)
    if first.numel():
        factors = [weight.to(first.dtype) for weight in weights]
        entries = list(zip(factors, columns, strict=True))
        kernels.weighted_sum(
            ctypes.c_void_p(total.data_ptr()),
            _pointers([value.data_ptr() for value in values]),
            _pointers([_ONE if k == -1 else _address(w, k) for w, k in entries]),
            _numbers([0 if k == -1 or w.shape[0] == 1 else w.stride(0) for w, k in entries]),
            *_sizes(values),
        )
    return total


def _weight_gradients_on_cpu(
    x: Tensor, values: list[Tensor], like: Tensor, columns: list[int]
) -> Tensor:
    x, *values = _alike([x, *values])
    kernels = _kernels() if _is_plain(x) else None
    if kernels is None:
        return _weight_gradients(x, values, like, columns)
    dots = x.new_zeros(x.shape[0], len(values))
    if x.numel():
        kernels.dot_products(
            ctypes.c_void_p(dots.data_ptr()),
            ctypes.c_void_p(x.data_ptr()),
            _pointers([value.data_ptr() for value in values]),
            *_sizes(values),
        )
    return _in_columns(dots, like, columns)


_weighted_sum_operator = define(
    "weighted_sum(Tensor[] values, Tensor[] weights, int[] columns) -> Tensor",
    _weighted_sum,
    _weighted_sum_shape,
    on_cpu=_weighted_sum_on_cpu,
)
_weight_gradients_operator = define(
    "weight_gradients(Tensor x, Tensor[] values, Tensor like, int[] columns) -> Tensor",
    _weight_gradients,
    _weight_gradients_shape,
    on_cpu=_weight_gradients_on_cpu,
)


def _alike(values: list[Tensor]) -> list[Tensor]:
    """The values in the layout of the first, with the memory of each sample contiguous."""
    first = values[0]
    if not _is_dense(first):
        first = first.contiguous()
    layout = first.stride()
    return [v if v.stride() == layout else torch.empty_like(first).copy_(v) for v in values]


def _is_dense(x: Tensor) -> bool:
    return x.is_contiguous() or (
        x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)
    )


def _is_plain(x: Tensor) -> bool:
    return x.dtype == torch.float32 and x.layout == torch.strided


def _sizes(values: list[Tensor]) -> tuple[ctypes.c_int64, ...]:
    batch = values[0].shape[0]
    return tuple(map(ctypes.c_int64, (len(values), batch, values[0].numel() // batch)))


def _address(matrix: Tensor, column: int) -> int:
    return matrix.data_ptr() + matrix.element_size() * matrix.stride(1) * column


def _pointers(addresses: list[int]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * len(addresses))(*addresses)


def _numbers(numbers: list[int]) -> ctypes.Array[ctypes.c_int64]:
    return (ctypes.c_int64 * len(numbers))(*numbers)


@cache
def _kernels() -> ctypes.CDLL | None:
    # Compiled with the compiler, flags and cache of generated code, whose threads it shares.
    return load_cpp(files("dagdsl_compiler.runtime").joinpath("sums.cpp").read_text())
