"""Named queries: ``.rq`` files with a header that says what they ask, take and give."""

from lithograph.queries.binding import bind_terms
from lithograph.queries.guard import Answer, examine, guard, variables
from lithograph.queries.query import Column, Parameter, Query, find, shipped

__all__ = [
    "Answer",
    "Column",
    "Parameter",
    "Query",
    "bind_terms",
    "examine",
    "find",
    "guard",
    "shipped",
    "variables",
]
