"""Tree -> canonical text with the fewest parentheses. Parsing the text gives the same tree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dagdsl.syntax import ast

_INDENT: Final = "  "
_PIPE, _SUM, _PRODUCT, _UNARY, _ATOM = range(5)
_LEVEL = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "//": _PRODUCT}


def print_file(file: ast.File) -> str:
    """Return the text of a file."""
    lines = [f"edition {file.edition}"]
    before: ast.Item | None = None
    for item in file.items:
        if before is None or type(before) is not type(item) or _has_body(before) or _has_body(item):
            lines.append("")
        lines += _item(item)
        before = item
    return "\n".join(lines) + "\n"


def print_expr(expr: ast.Expr) -> str:
    """Return the text of an expression."""
    return _expr(expr, _PIPE)


def print_value(value: bool | int | float | str | None) -> str:
    """Return the text of a literal; None is a literal with a syntax error."""
    match value:
        case None:
            return "1"  # a placeholder
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case _:
            return repr(value)


def _has_body(item: ast.Item) -> bool:
    return isinstance(item, ast.Net) or (
        isinstance(item, ast.Block) and isinstance(item.body, tuple)
    )


def _item(item: ast.Item) -> list[str]:
    match item:
        case ast.Import(path, alias):
            return [f"import {print_expr(path)}" + (f" as {alias.name}" if alias else "")]
        case ast.Param(name, type, default, domain):
            text = f"param {name.name}: {_type(type)} = {print_expr(default)}"
            return [text + (f" in {_domain(domain)}" if domain else "")]
        case ast.Router(name, formals, body):
            return [f"router {name.name}{_formals(formals)} = {print_expr(body)}"]
        case ast.Block(name, formals, body):
            head = f"block {name.name}{_formals(formals)}"
            return (
                _body(head, body) if isinstance(body, tuple) else [f"{head} = {print_expr(body)}"]
            )
        case ast.Net(name, formals, body):
            return _body(f"net {name.name}{_formals(formals)}", body)
        case ast.Instance(name, made):
            return [f"net {name.name} = {print_expr(made)}"]


def _body(head: str, statements: Iterable[ast.NetStatement]) -> list[str]:
    lines = [line for statement in statements for line in _statement(statement)]
    return [f"{head} {{", *(_INDENT + line for line in lines), "}"]


def _statement(statement: ast.NetStatement) -> list[str]:
    match statement:
        case ast.Input(name, type):
            return [f"input {name.name}: {_type(type)}"]
        case ast.Node(decls, body):
            names = ", ".join(decl.name.name + _index(decl.count) for decl in decls)
            return [f"node {names}: {print_expr(body)}"]
        case ast.Let(name, value):
            return [f"{name.name} = {print_expr(value)}"]
        case ast.Wire(groups, via, through):
            path = " -> ".join(", ".join(map(_ref, group)) for group in groups)
            return [path + _tail(via, through)]
        case ast.Connect(pattern, via, through):
            return [f"connect {print_expr(pattern)}{_tail(via, through)}"]
        case ast.Stage(name, count, body):
            return _body(f"stage {name.name}{_index(count)}", body)
        case ast.Output(name, None):
            return [f"output {name.name}"]
        case ast.Output(name, fields):
            taps = ", ".join(f"{field.name.name} = {_ref(field.ref)}" for field in fields or ())
            return [f"output {name.name} {{ {taps} }}" if taps else f"output {name.name} {{}}"]


def _tail(via: ast.Expr | None, through: ast.Expr | None) -> str:
    parts = (("via", via), ("through", through))
    return "".join(f" {keyword} {print_expr(expr)}" for keyword, expr in parts if expr)


def _formals(formals: tuple[ast.Formal, ...]) -> str:
    return f"({', '.join(map(_formal, formals))})" if formals else ""


def _formal(formal: ast.Formal) -> str:
    type = f": {_type(formal.type)}" if formal.type else ""
    default = f" = {print_expr(formal.default)}" if formal.default else ""
    return formal.name.name + type + default


def _type(type: ast.TypeExpr) -> str:
    return type.name + (f"[{_list(type.dims)}]" if type.dims else "")


def _domain(domain: ast.Choices | ast.Range) -> str:
    if isinstance(domain, ast.Choices):
        return f"[{_list(domain.items)}]"
    return f"{print_expr(domain.low)}..{print_expr(domain.high)}"


def _ref(ref: ast.Ref) -> str:
    return ".".join(ref.path) + _index(ref.index)


def _index(expr: ast.Expr | None) -> str:
    return f"[{print_expr(expr)}]" if expr else ""


def _list(exprs: Iterable[ast.Expr]) -> str:
    return ", ".join(map(print_expr, exprs))


def _arg(arg: ast.Arg) -> str:
    return (f"{arg.name} = " if arg.name is not None else "") + print_expr(arg.value)


def _expr(expr: ast.Expr, level: int) -> str:
    """Return an expression, in parentheses if it binds more loosely than `level`."""
    text, own = _bare(expr)
    return text if own >= level else f"({text})"


def _bare(expr: ast.Expr) -> tuple[str, int]:
    match expr:
        case ast.Literal(value):
            return print_value(value), _ATOM
        case ast.Name(path):
            return ".".join(path), _ATOM
        case ast.Call(callee, args):
            return f"{callee}({', '.join(map(_arg, args))})", _ATOM
        case ast.ListExpr(items):
            return f"[{_list(items)}]", _ATOM
        case ast.Index(value, index):
            return f"{_expr(value, _ATOM)}[{print_expr(index)}]", _ATOM
        case ast.Unary(operand):
            return f"-{_expr(operand, _UNARY)}", _UNARY
        case ast.Binary(op, left, right):
            level = _LEVEL[op]
            return f"{_expr(left, level)} {op} {_expr(right, level + 1)}", level
        case ast.Pipe(steps):
            return " |> ".join(_expr(step, _SUM) for step in steps), _PIPE
