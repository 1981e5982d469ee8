"""Puts the abstract classes back into `collections`, where eclsdk and doapi look for them: Python 3.10 took them out."""

import collections
import collections.abc

for name in ("Callable", "Iterable", "Iterator", "Mapping", "MutableMapping", "MutableSequence", "MutableSet", "Sequence", "Set"):
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))
