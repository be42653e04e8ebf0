"""The package as Airflow, pip and its readers see it."""

from __future__ import annotations

import ast
import graphlib
import importlib
import inspect
import json
import re
import subprocess
import sys
import tomllib
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest
from airflow.providers.common.compat.sdk import BaseOperator

import airflow_provider_contactcenter
from airflow_provider_contactcenter import provider_info, reports
from airflow_provider_contactcenter.get_provider_info import get_provider_info
from airflow_provider_contactcenter.hooks import hook_class
from airflow_provider_contactcenter.transport.policy import redact
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

PACKAGE = Path(airflow_provider_contactcenter.__file__).parent
ROOT = PACKAGE.parent
INFO = get_provider_info()
CONNECTION_TYPES = {entry["connection-type"]: entry for entry in INFO["connection-types"]}


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((Path(airflow.__path__[0]) / name).read_text())
    return loaded


def test_provider_info_passes_the_schema_that_airflow_checks_at_run_time() -> None:
    jsonschema.Draft7Validator(schema("provider_info.schema.json")).validate(INFO)


def test_connection_types_pass_the_stricter_schema_of_provider_yaml() -> None:
    strict = schema("provider.yaml.schema.json")["properties"]["connection-types"]
    if "conn-fields" not in json.dumps(strict):
        pytest.skip("Airflow 2.11's schema knows no conn-fields")
    jsonschema.Draft7Validator(strict).validate(INFO["connection-types"])


def test_the_distribution_and_the_provider_info_have_one_name() -> None:
    assert INFO["package-name"] == "airflow-provider-contactcenter"
    distribution = metadata.distribution(INFO["package-name"])
    assert distribution.version == airflow_provider_contactcenter.__version__
    [entry_point] = distribution.entry_points.select(group="apache_airflow_provider")
    assert entry_point.load() is get_provider_info


def dotted(value: Any) -> list[str]:
    """Every module or class that the provider info names."""
    if isinstance(value, dict):
        return [name for item in value.values() for name in dotted(item)]
    if isinstance(value, list):
        return [name for item in value for name in dotted(item)]
    return [value] if isinstance(value, str) and value.startswith("airflow_provider_contactcenter.") else []


@pytest.mark.parametrize("name", sorted(set(dotted(INFO))))
def test_what_the_provider_info_names_can_be_imported(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    if attribute[0].isupper():
        assert hasattr(importlib.import_module(module), attribute)
    else:
        importlib.import_module(name)


def test_the_provider_info_names_every_transfer_and_pages_that_are_there() -> None:
    transfers = {entry["python-module"].rpartition(".")[2] for entry in INFO["transfers"]}
    assert transfers == {path.stem for path in (PACKAGE / "transfers").glob("contact_center_to_*.py")}
    guides = [guide for entry in INFO["integrations"] for guide in entry["how-to-guide"]]
    guides += [entry["how-to-guide"] for entry in INFO["transfers"]]
    assert [guide for guide in guides if not (ROOT / guide.lstrip("/")).exists()] == []


@pytest.mark.parametrize("face", ["operators", "sensors"])
def test_the_provider_info_names_every_module_that_dags_have_tasks_of(face: str) -> None:
    [entry] = INFO[face]
    found = []
    for path in (PACKAGE / face).glob("*.py"):
        module = importlib.import_module(f"{PACKAGE.name}.{face}.{path.stem}")
        own = [each for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__]
        if any(isinstance(each, type) and issubclass(each, BaseOperator) for each in own):
            found.append(path.stem)
    bases = {"base", "rendering"}
    assert [f"{PACKAGE.name}.{face}.{name}" for name in sorted({*found} - bases)] == entry["python-modules"]


def test_a_transfer_names_its_store_as_the_stores_own_provider_does() -> None:
    known = {
        entry["integration-name"]
        for point in metadata.entry_points(group="apache_airflow_provider")
        for entry in point.load()().get("integrations", ())
    }
    assert {entry["target-integration-name"] for entry in INFO["transfers"]} <= known


#: a package that is imported -> the distribution that has it, where names differ
DISTRIBUTIONS = {
    "yaml": "pyyaml",
    "google_crc32c": "google-crc32c",
    "requests_toolbelt": "requests-toolbelt",
    "openlineage": "openlineage-python",
}
#: the same where many distributions share a package; the longest name that fits counts
SHARED = {
    "airflow": "apache-airflow",
    "airflow.providers.common.compat": "apache-airflow-providers-common-compat",
    "airflow.providers.amazon": "apache-airflow-providers-amazon",
    "airflow.providers.google": "apache-airflow-providers-google",
    "airflow.providers.http": "apache-airflow-providers-http",
    "airflow.providers.microsoft.azure": "apache-airflow-providers-microsoft-azure",
    "airflow.providers.openlineage": "apache-airflow-providers-openlineage",
    "airflow.providers.sftp": "apache-airflow-providers-sftp",
    "airflow.providers": "a provider that this test doesn't know",
    "azure.core": "azure-core",
    "azure.storage.blob": "azure-storage-blob",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.storage": "google-cloud-storage",
}
#: Airflow 2.11's own: it asks a hook class for the form of its connection
FORMS = {"flask_appbuilder", "wtforms"}


def imported(path: Path) -> set[str]:
    """Every module that a file may load, at its top, in a function or by name."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(level=0, module=str(module)):
                names |= {f"{module}.{alias.name}" for alias in node.names}
            case ast.Call(
                func=ast.Name(id="import_module" | "provider_class"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                names.add(module)
    return names


def distribution_of(module: str) -> str:
    fitting = [name for name in SHARED if f"{module}.".startswith(f"{name}.")]
    top = module.partition(".")[0]
    return SHARED[max(fitting, key=len)] if fitting else DISTRIBUTIONS.get(top, top)


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_what_a_module_imports_is_declared(path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: lines for name, lines in project["optional-dependencies"].items() if name != "docs"}
    if path.name != "pytest_plugin.py":  # for those who have pytest anyway
        del extras["test"]
    lines = [*project["dependencies"], *(line for lines in extras.values() for line in lines)]
    declared = {re.split(r"[^\w.-]", line)[0] for line in lines}
    foreign = {
        module
        for module in imported(path)
        if module.partition(".")[0] not in {*sys.stdlib_module_names, *FORMS, PACKAGE.name}
    }
    assert {distribution_of(module) for module in foreign} - declared == set()


def test_what_is_generated_is_what_the_descriptions_make_of_it() -> None:
    # python -m airflow_provider_contactcenter.provider_info
    written = provider_info.written()
    assert {file.name for file in written} == {"get_provider_info.py", "reports.py", ".airflow-registry.yaml"}
    for file, text in written.items():
        assert file.read_text(encoding="utf-8") == text
    assert provider_info.provider_info() == INFO


VENDORS = [registry.vendor(name) for name in registry.OURS]
by_name = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)


@by_name
def test_a_vendor_is_registered_under_its_name_and_its_builders_can_be_imported_by_users(
    vendor: Vendor,
) -> None:
    assert registry.vendor(vendor.name) is vendor
    assert vendor.kinds is registry.kinds(vendor.name)
    for kind in vendor.kinds.values():
        assert getattr(reports, kind.builder.__name__) is kind.builder
        assert kind.builder.__name__ in reports.__all__


def test_a_dag_file_pays_for_the_vendors_that_it_uses() -> None:
    for name in reports.__all__:
        assert getattr(reports, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'genesys'"):
        getattr(reports, "genesys")  # noqa: B009 - mypy would see it
    loaded = loaded_by("from airflow_provider_contactcenter.reports import talkdesk_report")
    ours = {
        name.split(".")[2] for name in loaded if name.startswith("airflow_provider_contactcenter.vendors.")
    }
    assert ours == {"talkdesk", "protocol"}


def test_no_builder_is_without_a_vendor() -> None:
    assert {builder.__name__ for builder in registry.builders().values()} == set(reports.__all__) - {
        "describe",
        "load_reports",
    }


@by_name
def test_a_hook_class_says_what_its_vendors_description_says(vendor: Vendor) -> None:
    cls = hook_class(vendor.name)
    assert vendor.hook == f"{cls.__module__}.{cls.__name__}"
    assert (cls.vendor_name, cls.conn_type, cls.hook_name) == (vendor.name, vendor.name, vendor.title)
    assert cls.default_conn_name == f"{vendor.name}_default"
    # What Airflow 2.11 asks the class is what Airflow 3 reads.
    declared = CONNECTION_TYPES[vendor.name]["ui-field-behaviour"]
    assert {name.replace("_", "-"): value for name, value in cls.get_ui_field_behaviour().items()} == declared
    # It asks only what stands in the class itself.
    assert {"get_ui_field_behaviour", "get_connection_form_widgets"} <= vars(cls).keys()


@by_name
def test_airflow_2_gets_a_form_with_every_field(vendor: Vendor) -> None:
    pytest.importorskip("flask_appbuilder", reason="Airflow 3 has no such forms")
    fields = CONNECTION_TYPES[vendor.name]["conn-fields"]
    widgets = hook_class(vendor.name).get_connection_form_widgets()
    assert widgets.keys() == fields.keys()
    for name, field in fields.items():
        assert widgets[name].args[0] == field["label"]
        assert widgets[name].kwargs["description"] == field["description"]
        hidden = widgets[name].field_class.__name__ == "PasswordField"
        assert hidden == (field["schema"].get("format") == "password")


@by_name
def test_a_drop_down_shows_no_null_and_what_must_be_filled_in_says_so(vendor: Vendor) -> None:
    form = vendor.form
    assert form.fields.keys() <= {"host", "schema", "login", "password", "port"}
    declared = CONNECTION_TYPES[vendor.name]
    for name, field in declared["conn-fields"].items():
        assert None not in field["schema"].get("enum", ())
        assert field["label"].endswith("(required)") == form.all_extras[name].required
    for name, label in declared["ui-field-behaviour"]["relabeling"].items():
        assert label.endswith("(required)") == form.fields[name].required


@pytest.mark.parametrize("conn_type", CONNECTION_TYPES)
def test_extras_that_hold_a_secret_are_hidden_and_no_other_has_a_name_that_airflow_masks(
    conn_type: str,
) -> None:
    masked = ("password", "secret", "passwd", "authorization", "api_key", "apikey", "access_token", "token")
    for name, field in CONNECTION_TYPES[conn_type]["conn-fields"].items():
        secret = field["schema"].get("format") == "password"
        assert secret == any(word in name for word in masked), name


@by_name
def test_what_a_form_declares_secret_is_never_shown(vendor: Vendor) -> None:
    form = vendor.form
    extra = {name: each.choices[0] if each.choices else f"{name}-1/2" for name, each in form.extras.items()}
    extra |= {"api_version": "v8", "account": "acme", "auth_url": "https://login.acme.example"}
    fields = ConnectionFields(
        "c", host="https://acme.example", login="jane", password="pass/word 1", extra=extra
    )
    settings = vendor.settings(fields)
    declared = [str(extra[name]) for name, each in form.extras.items() if each.secret]
    assert {"pass/word 1", *declared} <= set(settings.secrets)
    assert redact("pass%2fword%201", settings.secrets) == "***"
    assert not {value for name, value in settings.extra.items() if form.all_extras[name].secret}
    assert not any(secret in repr(settings) for secret in settings.secrets)


@by_name
@pytest.mark.parametrize("empty", [None, ""])
def test_what_a_form_leaves_empty_means_what_is_not_there(vendor: Vendor, empty: str | None) -> None:
    """Airflow 3 saves an empty field of its form as null, Airflow 2.11 as an empty string."""
    filled = {name: f"{name}-1" for name, each in vendor.form.extras.items() if each.required}
    filled |= {"account": "acme"} if "account" in vendor.form.extras else {}

    def settings(extra: dict[str, Any]) -> Any:
        fields = ConnectionFields(
            "c", host="https://acme.example", login="jane", password="fake", extra={**extra, **filled}
        )
        return vendor.settings(fields)

    from_form = settings(dict.fromkeys(vendor.form.all_extras, empty))
    assert from_form == settings({})
    assert from_form.verify is True


def test_an_error_names_a_field_as_the_form_shows_it() -> None:
    form = registry.vendor("talkdesk").form
    assert form.labelled("the connection's password is empty: it holds the OAuth client's secret") == (
        "the connection's password (Client secret in the form) is empty: it holds the OAuth client's secret"
    )
    assert form.labelled("correct the connection's host") == (
        "correct the connection's host (API base URL in the form)"
    )
    for plain in ("the connection's region 'x' is not known", "the connection's certificate", "no field"):
        assert form.labelled(plain) == plain


def test_an_extra_that_means_nothing_is_named_with_the_nearest_that_does() -> None:
    form = registry.vendor("talkdesk").form
    assert form.unknown({"timout": 5, "acount": "acme", "Region": "eu", "zzz": 1}) == {
        "timout": "timeout",
        "acount": "account",
        "Region": "region",
        "zzz": None,
    }
    assert form.unknown([*form.all_extras, "proxies"]) == {}


#: room -> the rooms it may import; the plan of the house
LAYERS: dict[str, set[str]] = {
    "nouns": set(),
    "checks": set(),
    "exceptions": set(),
    "get_provider_info": set(),
    "reports": {"vendors", "yaml_reports"},
    "yaml_reports": {"checks", "nouns", "shapes", "vendors"},
    "vendors": {"checks", "nouns"},
    "transport": {"clock", "vendors"},
    "shapes": {"checks"},
    "pipeline": {"exceptions", "shapes", "vendors"},
    "stores": {"checks"},
    "sandbox": set(),
    "demo": {"sandbox", "vendors"},
    "hooks": {"checks", "exceptions", "nouns", "pipeline", "transport", "vendors"},
}
LAYERS["life"] = {"checks", "clock", "exceptions", "hooks", "nouns", "vendors"}
LAYERS["triggers"] = LAYERS["life"] | {"life"}
LAYERS["links"] = {"checks", "vendors"}
LAYERS["operators"] = LAYERS["triggers"] | {"links", "triggers"}
LAYERS["sensors"] = LAYERS["operators"] | {"operators"}
LAYERS["transfers"] = LAYERS["operators"] | {"operators", "pipeline", "shapes", "stores"}
LAYERS["windows"] = {"checks", "nouns", "operators", "vendors"}
LAYERS["provider_info"] = {"hooks", "vendors"}


def imports(layer: str) -> set[tuple[str, str]]:
    """(file, layer) of every import within the package."""
    place = PACKAGE / layer
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if isinstance(node, ast.ImportFrom) and names == ["airflow_provider_contactcenter"]:
                names = [f"{names[0]}.{alias.name}" for alias in node.names]
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                if name.startswith("airflow_provider_contactcenter."):
                    found.add((file.name, name.split(".")[1]))
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_one_way(layer: str) -> None:
    strangers = {(file, other) for file, other in imports(layer) if other not in {layer, *LAYERS[layer]}}
    assert strangers == set()


def module_imports() -> dict[str, set[str]]:
    """Module -> the modules of the package that it imports, wherever it does so."""
    modules = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in PACKAGE.rglob("*.py")
    }
    graph: dict[str, set[str]] = {}
    for module, file in modules.items():
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        named: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                base = ".".join([*above, *([node.module] if node.module else [])])
                named |= {f"{base}.{alias.name}" for alias in node.names} | {base}
        graph[module] = (named & modules.keys()) - {module, package, "airflow_provider_contactcenter"}
    return graph


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Nor for their types alone: what can't be read without the other is one module."""
    assert list(graphlib.TopologicalSorter(module_imports()).static_order())


def loaded_by(statement: str, after: str = "") -> set[str]:
    """The modules that a fresh interpreter loads at a statement, without those that ``after`` has loaded."""
    program = (
        f"import sys, json\n{after}\nbefore = set(sys.modules)\n{statement}\n"
        "print('\\n' + json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_vendor_modules_know_no_airflow_and_no_http_library() -> None:
    loaded = loaded_by(
        "from airflow_provider_contactcenter.vendors import registry;"
        " [registry.vendor(name) for name in registry.OURS]"
    )
    assert "airflow_provider_contactcenter.vendors.talkdesk.api" in loaded
    assert loaded & {"airflow", "requests", "aiohttp", "boto3"} == set()


LANDING = {
    "shape": None,
    "compression": None,
    "on_empty": "publish",
    "replace": True,
    "on_exists": "fail",
    "manifest": None,
    "partition_key": None,
}
WAITING = {
    "deferrable": False,  # [operators] default_deferrable
    "poll_interval": 30.0,
    "max_poll_interval": 300.0,
    "report_timeout": timedelta(hours=12),
    "settle_delay": None,
    "durable": True,
    "cancel_on_kill": True,
}
NEEDED = inspect.Parameter.empty
#: other values than the defaults
OTHERS = {
    "replace": False,
    "compression": "gzip",
    "on_empty": "skip",
    "deferrable": True,
    "poll_interval": 7.0,
    "max_poll_interval": 70.0,
    "report_timeout": timedelta(hours=1),
    "settle_delay": timedelta(minutes=1),
    "durable": False,
    "cancel_on_kill": False,
}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        (
            "operators.report.ContactCenterReportOperator",
            {"report": NEEDED, "wait_for_completion": False, **WAITING},
        ),
        (
            "sensors.report.ContactCenterReportSensor",
            {"job": NEEDED, "deferrable": False, "max_poll_interval": 300.0},
        ),
        (
            "transfers.contact_center_to_s3.ContactCenterToS3Operator",
            {
                "report": None,
                "job": None,
                "s3_key": NEEDED,
                "s3_bucket": None,
                "aws_conn_id": "aws_default",
                "verify": None,
                "encrypt": False,
                "acl_policy": None,
                "s3_extra_args": None,
                "transfer_config_args": None,
                **LANDING,
                **WAITING,
            },
        ),
        (
            "transfers.contact_center_to_gcs.ContactCenterToGCSOperator",
            {
                "report": None,
                "job": None,
                "bucket_name": NEEDED,
                "object_name": NEEDED,
                "gcp_conn_id": "google_cloud_default",
                "impersonation_chain": None,
                "chunk_size": None,
                "kms_key_name": None,
                "user_project": None,
                "metadata": None,
                **LANDING,
                **WAITING,
            },
        ),
        (
            "transfers.contact_center_to_azure_blob.ContactCenterToAzureBlobOperator",
            {
                "report": None,
                "job": None,
                "container_name": NEEDED,
                "blob_name": NEEDED,
                "wasb_conn_id": "wasb_default",
                "block_size": 8 * 1024 * 1024,
                "max_concurrency": 4,
                "metadata": None,
                "tags": None,
                "tier": None,
                **LANDING,
                **WAITING,
            },
        ),
        (
            "transfers.contact_center_to_sftp.ContactCenterToSFTPOperator",
            {
                "report": None,
                "job": None,
                "remote_path": NEEDED,
                "sftp_conn_id": "sftp_default",
                "create_directories": False,
                **LANDING,
                **WAITING,
            },
        ),
        (
            "transfers.contact_center_to_file.ContactCenterToFileOperator",
            {"report": None, "job": None, "path": NEEDED, **LANDING, **WAITING},
        ),
    ],
)
def test_a_public_class_shows_its_parameters_and_their_defaults(
    name: str, parameters: dict[str, Any]
) -> None:
    module, _, class_name = name.rpartition(".")
    public = getattr(importlib.import_module(f"airflow_provider_contactcenter.{module}"), class_name)
    shown = dict(inspect.signature(public).parameters)
    assert shown.pop("kwargs").kind is inspect.Parameter.VAR_KEYWORD
    assert {each.kind for each in shown.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert [(each.name, each.default) for each in shown.values()] == list(parameters.items())
    # What is given arrives.
    given = {key: value for key, value in OTHERS.items() if key in parameters}
    noun = "job" if "report" not in parameters else "report"
    places = {key: "x" for key, default in parameters.items() if default is NEEDED and key != noun}
    day = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}
    nouns = {"job": {}, "report": reports.talkdesk_report("calls", **day)}
    task = public(task_id="a", **{noun: nouns[noun]}, **places, **given)
    assert {key: getattr(task, key) for key in given} == given


def test_the_provider_info_imports_nothing_else() -> None:
    loaded = loaded_by("import airflow_provider_contactcenter.get_provider_info")
    ours = {name for name in loaded if name.startswith("airflow_provider_contactcenter")}
    assert ours == {"airflow_provider_contactcenter", "airflow_provider_contactcenter.get_provider_info"}
    assert "airflow" not in loaded


def test_a_dag_file_loads_no_http_library_no_store_and_no_pandas() -> None:
    ours = (
        "from airflow_provider_contactcenter.reports import *;"
        "import airflow_provider_contactcenter.operators.report,"
        " airflow_provider_contactcenter.sensors.report,"
        " airflow_provider_contactcenter.transfers.contact_center_to_s3,"
        " airflow_provider_contactcenter.transfers.contact_center_to_gcs,"
        " airflow_provider_contactcenter.transfers.contact_center_to_azure_blob,"
        " airflow_provider_contactcenter.transfers.contact_center_to_sftp,"
        " airflow_provider_contactcenter.transfers.contact_center_to_file,"
        " airflow_provider_contactcenter.shapes,"
        " airflow_provider_contactcenter.windows"
    )
    bare = "from airflow.providers.common.compat.sdk import BaseOperator; import airflow.triggers.base"
    added = loaded_by(ours, after=bare)
    assert "airflow_provider_contactcenter.windows" in added
    heavy = {
        "requests",
        "aiohttp",
        "boto3",
        "botocore",
        "pandas",
        "pyarrow",
        "google.cloud",
        "azure",
        "paramiko",
    }
    assert added & (heavy | {"tenacity", "msgspec"}) == set()


EXAMPLES = sorted((ROOT / "example_dags").glob("*.py"))


def test_the_example_dags_import_without_a_warning_of_ours() -> None:
    # One process for all of them: Airflow takes seconds to import.
    run_all = (
        f"import runpy\nfor path in {list(map(str, EXAMPLES))!r}:\n    runpy.run_path(path)\n    print(path)"
    )
    done = subprocess.run([sys.executable, "-c", run_all], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert [Path(line).name for line in done.stdout.splitlines()] == [path.name for path in EXAMPLES]
    assert "airflow_provider_contactcenter" not in done.stderr


def test_the_top_level_holds_what_the_design_says() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout, so there is no list of what belongs to it")
    top = {name.split("/")[0] for name in listed.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    assert visible == {
        "airflow_provider_contactcenter",
        "example_dags",
        "docs",
        "tests",
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
    }
