"""Writes what is made of the vendors' descriptions: run ``python -m airflow_provider_contactcenter.provider_info``.

Airflow reads the provider info in every process at start, and a DAG file pays for the vendors alone that it
uses: both have to know all vendors without an import.
"""

# ruff: noqa: E501 - a command that can be copied

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_provider_contactcenter.hooks import form
from airflow_provider_contactcenter.vendors import registry

PACKAGE = "airflow_provider_contactcenter"
NAME = "Contact center"

DOCS = "https://airflow-provider-contactcenter.readthedocs.io"
FOLDER = "Local or mounted folder"

#: what Dags have tasks and triggers of -> its modules
FACES = {"operators": ("look_back", "report"), "sensors": ("report",), "triggers": ("report",)}
#: store, by the name that its own provider gives it -> the module of its transfer
STORES = {
    "Amazon Simple Storage Service (S3)": "contact_center_to_s3",
    "Google Cloud Storage (GCS)": "contact_center_to_gcs",
    "Microsoft Azure Blob Storage": "contact_center_to_azure_blob",
    "SSH File Transfer Protocol (SFTP)": "contact_center_to_sftp",
    FOLDER: "contact_center_to_file",
}


def provider_info() -> dict[str, Any]:
    """Describe the provider: runtime schema ``airflow/provider_info.schema.json``."""
    vendors = [registry.vendor(name) for name in registry.OURS]
    hooks = {vendor.name: str(vendor.hook) for vendor in vendors}
    return {
        "package-name": "airflow-provider-contactcenter",
        "name": NAME,
        "description": "Lands contact-center reports in S3, GCS, Azure, SFTP or a folder, complete and once.",
        "integrations": [
            {
                "integration-name": NAME,
                "external-doc-url": DOCS,
                "how-to-guide": ["/docs/tutorial.md", "/docs/how_it_works.md"],
                "tags": ["service"],
            },
            *(
                {
                    "integration-name": vendor.title,
                    "external-doc-url": vendor.docs,
                    "how-to-guide": [f"/docs/{vendor.name}.md"],
                    "tags": ["service"],
                }
                for vendor in vendors
            ),
            {
                "integration-name": FOLDER,
                "external-doc-url": f"{DOCS}/en/latest/stores.html",
                "how-to-guide": ["/docs/stores.md"],
                "tags": ["protocol"],
            },
        ],
        "connection-types": [form.connection_type(vendor, hooks[vendor.name]) for vendor in vendors],
        "hooks": [
            {
                "integration-name": vendor.title,
                "python-modules": [hooks[vendor.name].rpartition(".")[0]],
            }
            for vendor in vendors
        ],
        **{
            face: [
                {"integration-name": NAME, "python-modules": [f"{PACKAGE}.{face}.{each}" for each in names]}
            ]
            for face, names in FACES.items()
        },
        "transfers": [
            {
                "source-integration-name": NAME,
                "target-integration-name": store,
                "how-to-guide": "/docs/transfers.md",
                "python-module": f"{PACKAGE}.transfers.{module}",
            }
            for store, module in STORES.items()
        ],
        "extra-links": [f"{PACKAGE}.links.{link}" for link in ("LandedObjectLink", "VendorDocsLink")],
    }


def written() -> dict[Path, str]:
    """File -> its text; of Airflow's registry, what is in a checkout only."""
    package = Path(__file__).parent
    files = {package / "get_provider_info.py": info_source(), package / "reports.py": reports_source()}
    listed = package.parent / ".airflow-registry.yaml"
    if listed.exists():
        files[listed] = listed.read_text(encoding="utf-8").partition("hooks:\n")[0] + hooks_source()
    return files


def hooks_source() -> str:
    """The hooks for Airflow's registry of providers."""
    vendors = [registry.vendor(name) for name in registry.OURS]
    return "hooks:\n" + "".join(
        f"  - module: {vendor.hook}\n    description: {vendor.title}.\n" for vendor in vendors
    )


def reports_source() -> str:
    """The text of ``reports.py``: every builder, and what else users write."""
    homes = {"describe": "vendors.registry", "load_reports": "yaml_reports"}
    for name in registry.OURS:
        for kind in registry.kinds(name).values():
            homes[kind.builder.__name__] = kind.builder.__module__.removeprefix(f"{PACKAGE}.")
    names = sorted(homes)
    imports = "".join(
        f"    from {PACKAGE}.{home} import (\n"
        + "".join(f"        {name},\n" for name in names if homes[name] == home)
        + "    )\n"
        for home in sorted(set(homes.values()))
    )
    listed = "".join(f'    "{name}",\n' for name in names)
    mapped = "".join(f'    "{name}": "{homes[name]}",\n' for name in names)
    return f'''"""What users write: builders of report dicts, one per kind of report.

A builder checks what is there when it is called (the DAG file fails to parse, with a sentence for each value)
and lets Jinja templates and XComArgs pass; everything is checked again when the task runs.

Generated by ``python -m {PACKAGE}.provider_info``; change what that is made of.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
{imports}
__all__ = [
{listed}]

#: name -> its module, loaded when the name is asked for: a DAG file pays for the vendors that it uses
_HOMES = {{
{mapped}}}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    found = getattr(import_module(f"{PACKAGE}.{{_HOMES[name]}}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
'''


def info_source() -> str:
    """The text of ``get_provider_info.py``."""
    # Nothing in it is spelled differently in Python.
    info = json.dumps(provider_info(), indent=4).replace("\n", "\n    ")
    return f'''"""Provider metadata for Airflow.

Generated by ``python -m {PACKAGE}.provider_info``; change what that is made of.
"""

# fmt: off
# ruff: noqa: E501
from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Describe the provider; imports nothing, for Airflow asks in every process at start."""
    return {info}
'''


if __name__ == "__main__":
    for file, text in written().items():
        file.write_text(text, encoding="utf-8")
