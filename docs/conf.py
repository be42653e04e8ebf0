"""Sphinx configuration. Build: ``python -m sphinx -W -b html docs docs/_build`` (extra ``docs``)."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

# autodoc imports Airflow, which writes to its home.
os.environ.setdefault("AIRFLOW_HOME", str(Path(tempfile.gettempdir()) / "contactcenter-docs"))

from airflow_provider_contactcenter import __version__

project = "airflow-provider-contactcenter"
author = "The airflow-provider-contactcenter developers"
copyright = "the airflow-provider-contactcenter developers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
# Pygments knows no Snowflake SQL, whose columns of a file are $1, $2.
suppress_warnings = ["misc.highlighting_failure"]

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True

# A vendor's page appears in the index when it is there. This warning has no type to suppress it by.
logging.getLogger("sphinx.sphinx.directives.other").addFilter(
    lambda record: getattr(record, "subtype", None) != "empty_glob"
)

html_theme = "furo"
html_title = f"{project} {release}"
html_show_sphinx = False
