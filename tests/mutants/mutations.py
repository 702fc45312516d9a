"""Small faults that a person could have written: each changes one place of a module, and a test should notice.

Left out, since no test should depend on them: docstrings, annotations, log lines, texts of three words or more (messages,
documentation), time limits (`timeout_s`, constants in `…_S`), `__repr__`, methods that only their overrides implement, and zip's
`strict`, which is an assertion. The linter notices a missing `encoding`. Also the parts of f-strings, whose positions Python 3.11
does not record.
"""

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

_OTHER: dict[type[ast.AST], Any] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.Add},
    **{ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}
_MESSAGES = {"Failure", "CommandFailed", "Unmet", "NotFound", "InvalidConfig", "NeedsNetwork", "log"}
# Arguments for messages, and those without an effect on a fast test.
_QUIET = {"why", "fix", "where", "timeout_s", "strict", "encoding"}

Fault = tuple[ast.expr | ast.stmt, ast.expr | ast.stmt]  # a node, and its replacement


class Mutant(NamedTuple):
    """`function` is the qualified name of the innermost function, "" outside of functions; `start` an offset in bytes."""

    path: str
    line: int
    function: str
    start: int
    before: str
    after: str

    def applied(self, source: bytes) -> bytes:
        """The text of the module with the fault in it."""
        return source[: self.start] + self.after.encode() + source[self.start + len(self.before.encode()) :]

    @property
    def identity(self) -> str:
        """A name that does not depend on the line."""
        return f"{self.path}: {' '.join(self.before.split())} → {' '.join(self.after.split())}"


def mutants(path: str, source: str) -> list[Mutant]:
    """All mutants of a module, in the order of the source."""
    text, starts = source.encode(), [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def below(node: ast.AST, function: str, prefix: str) -> Iterator[Mutant]:
        """`prefix`: the beginning of the qualified names of functions in the node."""
        for child in ast.iter_child_nodes(node):
            if _is_left_out(child, node):
                continue
            for old, new in (*_in_expression(child), *_in_statement(child)):
                assert old.end_lineno is not None and old.end_col_offset is not None
                start, end = starts[old.lineno - 1] + old.col_offset, starts[old.end_lineno - 1] + old.end_col_offset
                after = f"({ast.unparse(new)})" if isinstance(old, ast.expr) else ast.unparse(new)
                yield Mutant(path, old.lineno, function, start, text[start:end].decode(), after)
            if isinstance(child, ast.FunctionDef):
                yield from below(child, f"{prefix}{child.name}", f"{prefix}{child.name}.<locals>.")
            else:
                yield from below(child, function, f"{prefix}{child.name}." if isinstance(child, ast.ClassDef) else prefix)

    return list(below(ast.parse(source), "", ""))


def _is_left_out(node: ast.AST, parent: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.arg() | ast.pattern() | ast.Expr(ast.Constant()):
            return True
        case ast.Call(function) | ast.Expr(ast.Call(function)) if {*ast.unparse(function).split(".")} & _MESSAGES:
            return True
        case ast.If(ast.Name("TYPE_CHECKING")) | ast.Assign([ast.Name("TYPE_CHECKING")]):
            return True
        case ast.keyword(name) if name in _QUIET:
            return True
        case ast.FunctionDef("__repr__") | ast.Raise(ast.Name("NotImplementedError")):
            return True
        case ast.Assign([ast.Name(name)]) if name.endswith("_S"):
            return True
    return _is_left_out_of(parent, node)


def _is_left_out_of(parent: ast.AST, node: ast.AST) -> bool:
    match parent:
        case ast.arguments():
            last = [*parent.posonlyargs, *parent.args][::-1]
            named = [*zip(last, parent.defaults[::-1], strict=False), *zip(parent.kwonlyargs, parent.kw_defaults, strict=True)]
            return any(node is default and one.arg in _QUIET for one, default in named)
        case ast.FunctionDef() | ast.ClassDef():
            return node in parent.decorator_list or node is getattr(parent, "returns", None)
        case ast.AnnAssign():
            return node is parent.annotation
        case ast.Call(ast.Name("spec"), [documentation, *_]):
            return node is documentation
    return False


def _in_expression(node: ast.AST) -> Iterator[Fault]:
    match node:
        case ast.Compare(left, [operator, *more], others) if type(operator) in _OTHER:
            yield node, ast.Compare(left, [_OTHER[type(operator)](), *more], others)
        case ast.BoolOp(operator, values):
            yield node, ast.BoolOp(_OTHER[type(operator)](), values)
        case ast.BinOp(left, operator, right) if type(operator) in _OTHER and not (_is_text(left) or _is_text(right)):
            yield node, ast.BinOp(left, _OTHER[type(operator)](), right)
        case ast.UnaryOp(ast.Not(), operand):
            yield node, operand
        case ast.Constant(bool(value)):
            yield node, ast.Constant(not value)
        case ast.Constant(int(number)):
            yield node, ast.Constant(number + 1)
        case ast.Constant(bytes(content)):
            yield node, ast.Constant(b"x" + content)
        case ast.Constant(str(text)) if text.count(" ") < 2:
            yield node, ast.Constant(f"x{text}")
        case ast.Call(function, arguments, keywords):
            dropped = [one for one in keywords if one.arg is not None and one.arg not in _QUIET]
            yield from ((node, ast.Call(function, arguments, [one for one in keywords if one is not gone])) for gone in dropped)


def _in_statement(node: ast.AST) -> Iterator[Fault]:
    match node:
        case ast.If(test) | ast.While(test) | ast.IfExp(test) if not isinstance(test, (ast.Compare, ast.UnaryOp, ast.Constant)):
            yield test, ast.UnaryOp(ast.Not(), test)
        case ast.Return(value) if value is not None and not isinstance(value, ast.Constant):
            yield node, ast.Return(ast.Constant(None))
        case ast.Expr(ast.Call()) | ast.Raise():
            yield node, ast.Pass()
        case ast.Continue():
            yield node, ast.Break()
        case ast.Break():
            yield node, ast.Continue()


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (str, bytes))
    return isinstance(node, (ast.JoinedStr, ast.List, ast.Tuple))
