"""How many threads small problems are given."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold NumPy's and SciPy's BLAS to one thread: as a ``with`` or as a decorator.

    Over matrices of some ten columns its threads only wait for each other, and those that have
    waited go on spinning for a while on the cores that the next step needs.
    """
    with _blas().limit(limits=1, user_api="blas"):
        yield


@cache
def _blas() -> ThreadpoolController:
    """Return the handle of the loaded BLAS libraries; looking for them takes milliseconds."""
    return ThreadpoolController()
