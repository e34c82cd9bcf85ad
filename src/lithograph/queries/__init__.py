"""Named queries: ``.rq`` files with a header that says what they ask, take and give."""

from lithograph.queries.binding import bind_terms
from lithograph.queries.guard import Answer, examine, guard, variables
from lithograph.queries.query import Column, Parameter, Query, find, is_shipped, shipped

__all__ = [
    "Answer",
    "Column",
    "Parameter",
    "Query",
    "bind_terms",
    "examine",
    "find",
    "guard",
    "is_shipped",
    "shipped",
    "variables",
]
