"""A practice is an island: every tenant row belongs to exactly one practice.

A *scope* holds the id of the practice that is being served. Without one, no query runs. Inside
one, reads see that practice only, and a write that touches another practice is refused.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Self, TypeVar

from django.db import models

_scope: ContextVar[int | str | None] = ContextVar("practice", default=None)
_ACROSS = "across practices"

Row = TypeVar("Row", bound=models.Model)


class NoScope(RuntimeError):
    """A tenant row was asked for, but no practice is being served."""


class OtherPractice(RuntimeError):
    """A write would touch, or point to, a row of another practice."""


@contextmanager
def scope(practice_id: int) -> Iterator[None]:
    """Serve one practice for the length of the block."""
    token = _scope.set(practice_id)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def across_practices() -> Iterator[None]:
    """Read the rows of all practices: for the worker's queue and the socket watch, no page.

    Inside the block nothing can be created, changed or saved: open a `scope` for that.
    """
    token = _scope.set(_ACROSS)
    try:
        yield
    finally:
        _scope.reset(token)


def current_practice_id() -> int:
    """The id of the practice being served. Raises NoScope outside a scope."""
    practice_id = _scope.get()
    if not isinstance(practice_id, int):
        raise NoScope("No practice is being served here; open a scope first.")
    return practice_id


def has_scope() -> bool:
    """Whether exactly one practice is being served."""
    return isinstance(_scope.get(), int)


def scope_key() -> int | str | None:
    """What decides which rows a query sees just now: equal keys see the same practices."""
    return _scope.get()


def _refuse_foreign(
    model: type[models.Model], field: models.ForeignKey[Any, Any], value: Any
) -> None:
    """Raise OtherPractice if `value` of a foreign key is not a row of the practice served."""
    target = field.related_model
    if value is None or not (isinstance(target, type) and issubclass(target, TenantModel)):
        return
    if isinstance(value, target):
        if value.practice_id != current_practice_id():
            raise OtherPractice(f"{model.__name__}.{field.name} points to another practice.")
        return
    if hasattr(value, "resolve_expression"):
        raise OtherPractice(f"{model.__name__}.{field.name} cannot be set by an expression.")
    if not target.objects.filter(**{field.target_field.attname: value}).exists():
        raise OtherPractice(f"{model.__name__}.{field.name} points to another practice.")


class TenantQuerySet(models.QuerySet[Row]):
    """A query set whose writes stay inside the practice served."""

    def update(self, **values: Any) -> int:
        current_practice_id()
        if "practice" in values or "practice_id" in values:
            raise OtherPractice(f"A {self.model.__name__} cannot change its practice.")
        for field in self.model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey):
                for name in {field.name, field.attname} & values.keys():
                    _refuse_foreign(self.model, field, values[name])
        return super().update(**values)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        if kwargs.get("update_conflicts"):
            raise OtherPractice("The row in conflict may belong to another practice.")
        objs = list(objs)
        for obj in objs:
            obj.check_practice()
        return super().bulk_create(objs, *args, **kwargs)

    def bulk_update(
        self, objs: Iterable[Any], fields: Iterable[str], *args: Any, **kwargs: Any
    ) -> int:
        objs = list(objs)
        for obj in objs:
            obj.check_practice(set(fields))
        # Django turns the checked values into one expression, which `update` here would refuse.
        rows: models.QuerySet[Row] = models.QuerySet(self.model, using=self.db)
        return rows.filter(practice_id=current_practice_id()).bulk_update(
            objs, fields, *args, **kwargs
        )


_Manager = models.Manager.from_queryset(TenantQuerySet)


class TenantManager(_Manager[Row]):
    """Sees the practice served and nothing else; raises NoScope when there is none."""

    def get_queryset(self) -> models.QuerySet[Row]:
        served = _scope.get()
        if served is None:
            raise NoScope(f"{self.model.__name__} was asked for outside a practice.")
        rows = super().get_queryset()
        return rows if served == _ACROSS else rows.filter(practice_id=served)


class TenantModel(models.Model):
    """A row of one practice. `practice` is filled in from the scope when it is left out."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="+")

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        self.check_practice(None if update_fields is None else set(update_fields))
        super().save(*args, update_fields=update_fields, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if self.practice_id != current_practice_id():
            raise OtherPractice(f"This {type(self).__name__} belongs to another practice.")
        return super().delete(*args, **kwargs)

    def _do_update(self, base_qs: Any, *args: Any) -> bool:  # type: ignore[override]
        # A row that was given the key of a foreign one finds nothing to change.
        mine = base_qs.filter(practice_id=self.practice_id)
        return bool(super()._do_update(mine, *args))

    def check_practice(self, fields: set[str] | None = None) -> None:
        """Raise OtherPractice unless this row and all it points to belong to the scope."""
        served = current_practice_id()
        if self.practice_id is None:
            self.practice_id = served
        if self.practice_id != served:
            raise OtherPractice(f"This {type(self).__name__} belongs to another practice.")
        for field in self._meta.concrete_fields:
            if not isinstance(field, models.ForeignKey) or field.name == "practice":
                continue
            if fields is not None and not {field.name, field.attname} & fields:
                continue
            cached = self._state.fields_cache.get(field.name)
            value = getattr(self, field.attname)
            if cached is not None and getattr(cached, field.target_field.attname) == value:
                value = cached
            _refuse_foreign(type(self), field, value)

    def here(self) -> Self:
        """This row, after a check that it belongs to the practice served."""
        if self.practice_id != current_practice_id():
            raise OtherPractice(f"This {type(self).__name__} belongs to another practice.")
        return self
