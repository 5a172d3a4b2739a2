"""All tables by number: the paper's and the studies of this project."""

from __future__ import annotations

from .appendix_tables import APPENDIX_TABLES
from .paper_tables import PAPER_TABLES
from .studies import STUDIES

TABLES = {table.number: table for table in (*PAPER_TABLES, *APPENDIX_TABLES, *STUDIES)}
