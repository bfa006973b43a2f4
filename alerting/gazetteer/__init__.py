"""The gazetteer: region files read, checked and imported into the tree of regions.

Reads TopoJSON and GeoJSON, plain or gzipped; owns the transaction of an import. May import store and cap, and nothing
else of the service. Invariant: a file is imported whole or not at all, and imported again it changes nothing.
"""

from alerting.gazetteer.errors import GazetteerError, Problem, Refused, Unreadable
from alerting.gazetteer.importing import Imported, ensure_builtin, import_builtin, import_regions
from alerting.gazetteer.mapping import Mapping

__all__ = [
    "GazetteerError",
    "Imported",
    "Mapping",
    "Problem",
    "Refused",
    "Unreadable",
    "ensure_builtin",
    "import_builtin",
    "import_regions",
]
