"""Named queries: ``.rq`` files with a header that says what they ask, take and give."""

from lithograph.queries.guard import Answer, examine, guard, variables
from lithograph.queries.query import Column, Parameter, Query, find, shipped

__all__ = [
    "Answer",
    "Column",
    "Parameter",
    "Query",
    "examine",
    "find",
    "guard",
    "shipped",
    "variables",
]
