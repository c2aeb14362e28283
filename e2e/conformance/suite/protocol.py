"""What holds for each answer, whatever the case: codes of the model, members of the model, no nulls."""

import base64
import binascii
import json
from typing import Any

from suite.endpoint import Answer

# Codes that no operation models: https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
COMMON_CODES = {"ValidationException", "AccessDeniedException", "ThrottlingException", "SerializationException"}


def violations(answer: Answer, model: Any) -> list[str]:
    """What is wrong with an answer by the protocol (awsJson 1.1) and the service model."""
    operation = model.operation_model(answer.operation)
    found = [] if answer.request_id else ["there is no x-amzn-RequestId"]
    if answer.succeeded:
        return found + _body(answer, operation.output_shape)
    return found + _error(answer, operation)


def _error(answer: Answer, operation: Any) -> list[str]:
    modelled = {shape.name: shape for shape in operation.error_shapes}
    if answer.code not in COMMON_CODES | set(modelled):
        return [f"{answer.code} is no error of {answer.operation}"]
    fault = answer.code in modelled and modelled[answer.code].metadata.get("fault", False)
    expected = 500 if fault else 400
    return [] if answer.status == expected else [f"the status of {answer.code} is {answer.status}"]


def _body(answer: Answer, output: Any) -> list[str]:
    if answer.status != 200:
        return [f"the status of a success is {answer.status}"]
    if output is None:
        return [] if answer.body == b"" else [f"the body is {answer.body[:80]!r}, expected nothing"]
    try:
        return list(_value(json.loads(answer.body), output, "answer"))
    except ValueError:
        return [f"the body is no JSON: {answer.body[:80]!r}"]


def _value(value: Any, shape: Any, path: str) -> Any:
    """Walks through a value and tells what its shape does not admit. Unknown members are newer models' and allowed to
    nobody: an endpoint that sends them sends what AWS does not."""
    if shape.type_name == "structure":
        yield from _structure(value, shape, path)
    elif shape.type_name == "list":
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for number, item in enumerate(value):
            yield from _value(item, shape.member, f"{path}.{number}")
    elif shape.type_name == "map":
        if not isinstance(value, dict):
            yield f"{path} is no object"
    elif not SCALARS[shape.type_name](value):
        yield f"{path} is {value!r}, expected {shape.type_name}"
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path} is {value!r}, which is not in the enumeration"


def _structure(value: Any, shape: Any, path: str) -> Any:
    if not isinstance(value, dict):
        yield f"{path} is no object"
        return
    for name, inner in value.items():
        if name not in shape.members:
            yield f"{path}.{name} is not in the model"
        elif inner is None:
            yield f"{path}.{name} is null; an absent member is left out"
        else:
            yield from _value(inner, shape.members[name], f"{path}.{name}")


def _is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and base64.b64encode(base64.b64decode(value, validate=True)) == value.encode()
    except (binascii.Error, ValueError):
        return False


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


SCALARS = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "long": _is_integer,
    "timestamp": lambda value: _is_integer(value) or isinstance(value, float),
    "blob": _is_base64,
}
