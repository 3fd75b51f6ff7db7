"""Owns a small reader of C++: finds function definitions with their lines, parameters and nesting.

It knows tokens, brackets and statements, not types: enough to measure code that clang-format has laid out.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<raw>R"(?P<mark>[^()\\\s]*)\(.*?\)(?P=mark)")
  | (?P<preprocessor>(?<![^\n])[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<number>\.?\d(?:[eEpP][+-]|'(?=\w)|[\w.])*)
  | (?P<character>'(?:[^'\\\n]|\\.)*')
  | (?P<word>[A-Za-z_]\w*)
  | (?P<sign>::|->|<<|>=|<=|&&|\|\||==|!=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
OPENING = {"(": ")", "[": "]", "{": "}"}
TYPE_WORDS = {"class", "struct", "union", "enum"}
# Words that may stand between the parameters of a function and its body.
AFTER_PARAMETERS = {"const", "noexcept", "override", "final", "mutable", "&", "&&"}


@dataclass
class Token:
    text: str
    line: int


@dataclass
class Function:
    name: str
    first_line: int
    last_line: int
    parameters: list
    nesting: int
    is_override: bool

    @property
    def lines(self):
        return self.last_line - self.first_line + 1


def tokens_of(text):
    result, line, position = [], 1, 0
    while position < len(text):
        match = TOKEN.match(text, position)
        # A `#` is a preprocessor line only where nothing but blanks stands before it.
        if match.lastgroup not in ("space", "comment", "preprocessor"):
            result.append(Token(match[0], line))
        line += match[0].count("\n")
        position = match.end()
    return result


def closing_of(tokens, opening):
    """The position of the bracket that closes the one at `opening`."""
    depth = 0
    for position in range(opening, len(tokens)):
        if tokens[position].text in OPENING:
            depth += 1
        elif tokens[position].text in (")", "]", "}"):
            depth -= 1
            if depth == 0:
                return position
    return len(tokens) - 1


def skip_angles(tokens, position):
    """The position behind the `>` that closes the `<` at `position`."""
    depth = 0
    while position < len(tokens):
        text = tokens[position].text
        if text in OPENING:
            position = closing_of(tokens, position)
        depth += {"<": 1, ">": -1}.get(text, 0)
        position += 1
        if depth == 0:
            break
    return position


def without_templates(head):
    """`head` without `template <...>` and attributes in front."""
    position = 0
    while position < len(head):
        if head[position].text == "template" and position + 1 < len(head):
            position = skip_angles(head, position + 1)
        elif head[position].text == "[":
            position = closing_of(head, position) + 1
        else:
            break
    return head[position:]


def parameter_list(head):
    """(position of the name, parameter tokens) when `head` is the front of a function, else None."""
    depth, position = 0, 0
    while position < len(head):
        text = head[position].text
        if text == "=" and depth == 0:
            return None
        if text == "<" and position and head[position - 1].text != "operator":
            depth += 1
        elif text == ">":
            depth = max(0, depth - 1)
        elif text == "operator":
            # `operator()` and `operator<`: the sign belongs to the name.
            position += 2 if position + 1 < len(head) and head[position + 1].text == "(" else 1
        elif text == "(" and depth == 0:
            if position == 0:
                return None
            return position - 1, head[position + 1 : closing_of(head, position)]
        position += 1
    return None


def split_parameters(tokens):
    parameters, current, depth, position = [], [], 0, 0
    while position < len(tokens):
        text = tokens[position].text
        if text in OPENING:
            end = closing_of(tokens, position)
            current += tokens[position : end + 1]
            position = end + 1
            continue
        depth += {"<": 1, ">": -1}.get(text, 0)
        if text == "," and depth == 0:
            parameters.append(current)
            current = []
        else:
            current.append(tokens[position])
        position += 1
    if current and [t.text for t in current] != ["void"]:
        parameters.append(current)
    return parameters


def is_member_initialiser(head):
    """Whether the `{` behind `head` initialises a member in the list of a constructor: `: values_{`."""
    if len(head) < 3 or head[-1].text in AFTER_PARAMETERS or not re.match(r"[A-Za-z_>]", head[-1].text):
        return False
    texts = [t.text for t in head]
    return ")" in texts and ":" in texts[texts.index(")") :]


def is_lambda(tokens, brace):
    """Whether the `{` opens the body of a lambda: `](...) -> T {` or `] {`."""
    position = brace - 1
    while position > 0 and (re.match(r"[\w:<>&*,]|->", tokens[position].text)):
        position -= 1
    if tokens[position].text == ")":
        depth = 0
        while position > 0:
            depth += {")": 1, "(": -1}.get(tokens[position].text, 0)
            position -= 1
            if depth == 0:
                break
    return tokens[position].text == "]"


class Body:
    """Walks the statements of one body and measures how deep control flow is nested."""

    def __init__(self, tokens, position):
        self.tokens, self.position, self.deepest = tokens, position, 0

    def text(self):
        return self.tokens[self.position].text if self.position < len(self.tokens) else ""

    def block(self, depth):
        self.position += 1
        while self.text() not in ("}", ""):
            self.statement(depth)
        self.position += 1

    def controlled(self, depth):
        self.deepest = max(self.deepest, depth + 1)
        self.block(depth + 1) if self.text() == "{" else self.statement(depth + 1)

    def bracket(self, depth):
        """A bracket inside an expression; bodies of lambdas in it are walked."""
        end = closing_of(self.tokens, self.position)
        self.position += 1
        while self.position < end:
            self.expression_token(depth)
        self.position = end + 1

    def expression_token(self, depth):
        text = self.text()
        if text == "{" and is_lambda(self.tokens, self.position):
            self.block(depth)
        elif text in OPENING:
            self.bracket(depth)
        else:
            self.position += 1

    def statement(self, depth):
        text = self.text()
        if text == "{":
            self.block(depth)
        elif text in ("if", "for", "while", "switch", "catch"):
            self.control(depth)
        elif text in ("do", "try"):
            self.position += 1
            self.controlled(depth)
        elif text in ("case", "default"):
            while self.text() not in (":", ""):
                self.position += 1
            self.position += 1
        else:
            self.plain(depth)

    def control(self, depth):
        is_if = self.text() == "if"
        self.position += 1
        if self.text() == "constexpr":
            self.position += 1
        self.bracket(depth)
        if self.text() == ";":  # the end of `do ... while (...);`
            self.position += 1
            return
        self.controlled(depth)
        if is_if and self.text() == "else":
            self.position += 1
            self.control(depth) if self.text() == "if" else self.controlled(depth)

    def plain(self, depth):
        while self.text() not in (";", "}", ""):
            self.expression_token(depth)
        if self.text() == ";":
            self.position += 1


def functions_of(text):
    """All function definitions of a file at namespace and class scope."""
    tokens = tokens_of(text)
    functions, head, position = [], [], 0
    while position < len(tokens):
        token = tokens[position]
        if token.text in (";", "}"):
            head = []
        elif token.text == ":" and head and head[-1].text in ("public", "private", "protected"):
            head = []
        elif token.text in ("(", "["):
            end = closing_of(tokens, position)
            head += tokens[position : end + 1]
            position = end
        elif token.text == "{":
            position, head = open_brace(tokens, position, head, functions)
            continue
        else:
            head.append(token)
        position += 1
    return functions


def open_brace(tokens, position, head, functions):
    """What to do at a `{` outside of functions: (next position, head that goes on)."""
    plain = without_templates(head)
    texts = [t.text for t in plain]
    found = parameter_list(plain)
    if "namespace" in texts or texts[:2] == ["extern", '"C"'] or (TYPE_WORDS & set(texts) and found is None):
        return position + 1, []
    if found is None or is_member_initialiser(plain):
        end = closing_of(tokens, position)
        return end + 1, head + tokens[position : end + 1]
    body = Body(tokens, position)
    body.block(0)
    name, parameters = found
    functions.append(
        Function(
            plain[name].text,
            plain[0].line,
            tokens[min(body.position, len(tokens)) - 1].line,
            [" ".join(t.text for t in p) for p in split_parameters(parameters)],
            body.deepest,
            "override" in texts,
        )
    )
    return body.position, []
