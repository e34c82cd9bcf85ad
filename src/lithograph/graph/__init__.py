"""The knowledge graph: admit, query, undo a run; one transaction each."""

from lithograph.graph.admitting import now
from lithograph.graph.graph import Graph
from lithograph.graph.table import Table

__all__ = ["Graph", "Table", "now"]
