"""`random` is seeded anew in each call, but not before somebody uses it: it takes long.

The functions that share its one generator are taken from the module until one is asked for.
"""

import random

_GENERATOR = random._inst
_SHARED = {
    name: value
    for name, value in vars(random).items()
    if value is _GENERATOR or getattr(value, "__self__", None) is _GENERATOR
}


def later():
    """Take the functions away."""
    for name in _SHARED:
        delattr(random, name)
    random.__getattr__, random.__dir__ = _asked, _names


def anew():
    """Seed at once if a function is in somebody's hands, who got it when the image was made."""
    if "_inst" in vars(random):
        random.seed()


def _asked(name):
    if name not in _SHARED:
        raise AttributeError(f"module 'random' has no attribute {name!r}", name=name, obj=random)
    del random.__getattr__, random.__dir__
    vars(random).update(_SHARED)
    random.seed()
    return _SHARED[name]


def _names():
    return sorted({*vars(random), *_SHARED} - {"__getattr__", "__dir__"})
