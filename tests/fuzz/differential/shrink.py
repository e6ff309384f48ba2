"""Makes a pair of schema and instance small while the three validators go on answering the same three things."""
import json

MOST = 600  # questions for one pair


def size(value):
    return len(json.dumps(value))


def smaller(value, is_schema):
    """Values that are a little smaller than this one: without a member, or with a member in its own place."""
    if isinstance(value, dict):
        for key in value:
            yield {name: inner for name, inner in value.items() if name != key}
        for key, inner in value.items():
            if isinstance(inner, (dict, list)) or not is_schema:
                yield inner
            if is_schema and isinstance(inner, dict) and inner:
                yield {**value, key: {}}
            for less in smaller(inner, is_schema):
                yield {**value, key: less}
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield value[:place] + value[place + 1:]
            yield inner
        for place, inner in enumerate(value):
            for less in smaller(inner, is_schema):
                yield value[:place] + [less] + value[place + 1:]
    elif not isinstance(value, bool) and value is not None and not is_schema:
        if isinstance(value, str) and value:
            yield value[:len(value) // 2]
            yield value[1:]
            yield value[:-1]
        if value != 0 and not isinstance(value, str):
            yield 0


def shrink(schema, instance, same):
    """same(schema, instance): whether a smaller pair is still an example. Gives the smallest that was found."""
    left = MOST
    changed = True
    while changed and left > 0:
        changed = False
        candidates = [(s, instance) for s in smaller(schema, True) if isinstance(s, (dict, bool))]
        candidates += [(schema, i) for i in smaller(instance, False)]
        whole = size(schema) + size(instance)
        candidates = [pair for pair in candidates if size(pair[0]) + size(pair[1]) < whole]
        candidates.sort(key=lambda pair: size(pair[0]) + size(pair[1]))
        for pair in candidates:
            left -= 1
            if left <= 0:
                break
            if same(*pair):
                schema, instance = pair
                changed = True
                break
    return schema, instance
