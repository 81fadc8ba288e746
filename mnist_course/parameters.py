"""Values of parameters, from the texts of a command line: as papermill reads them, with the types that are declared."""

TYPES = {"int": int, "float": float, "bool": bool, "str": str}


def parse_value(name, text, annotation):
    """Return the value that papermill's own -p makes of `text`; ValueError when its type is not the annotated one."""
    value = {"True": True, "False": False, "None": None}.get(text, text)
    for number in (int, float):
        if isinstance(value, str):
            try:
                value = number(value)
            except ValueError:
                pass
    if annotation == "float" and type(value) is int or annotation == "str":
        value = TYPES[annotation](text)
    if type(value) is not TYPES.get(annotation, type(value)):
        raise ValueError(f"{name} takes a value of type {annotation}, got {text!r}.")
    return value
